"""Delete the accounts whose owners asked for it, when their time to change their mind is over."""

from idp.container import Container
from idp.observability import get_logger

_log = get_logger(__name__)


def delete_accounts(container: Container) -> None:
    """Carry out the requests that are due."""
    count = container.selfservice.deletion.carry_out(container.clock.now())
    if count:
        _log.info("accounts.deleted", extra={"fields": {"count": count}})
