"""What an account has to prove itself with, as the policy reads it."""

from idp.login.policy import Enrolled
from idp.storage import Enrolment, Repositories


class Enrolments:
    """Reads what accounts have set up. In the caller's transaction."""

    def __init__(self, repos: Repositories) -> None:
        self._repos = repos.enrolments

    def of(self, account_id: str) -> Enrolled:
        """What this account has; nothing for one that does not exist. One statement."""
        return enrolled(self._repos.of(account_id))


def enrolled(found: Enrolment) -> Enrolled:
    """The same in the words of the policy."""
    return Enrolled(
        password=found.password,
        passkeys=found.passkeys,
        totp=bool(found.totp),
        recovery_codes=found.recovery_codes,
        sms=bool(found.sms),
        email=bool(found.email),
        identities=found.identities,
    )
