"""Send the messages that wait in the outbox."""

from idp.audit import Actor, AuditEvent
from idp.container import Container
from idp.delivery import Outcome
from idp.observability import get_logger

_log = get_logger(__name__)


def deliver_messages(container: Container) -> None:
    """Send what is due; every worker does, and each message is taken by one of them.

    What was taken stays taken for a while if this process is killed, and is then sent again: twice at
    worst, never not at all.
    """
    deliverer, database, clock = container.deliverer, container.database, container.clock
    while True:
        with database.transaction(write=False):
            if not deliverer.has_due(clock.now()):
                return
        with database.transaction():
            taken = deliverer.take(clock.now())
        if not taken:  # others were faster
            return
        for outcome in deliverer.send(taken, clock.now):
            with database.transaction():
                deliverer.note(outcome, clock.now())
                if outcome.state == "given_up":
                    _record(container, outcome)
            _tell(outcome)


def _record(container: Container, outcome: Outcome) -> None:
    container.audit.record(
        AuditEvent.MESSAGE_GIVEN_UP,
        actor=Actor.system("outbox"),
        account=outcome.account_id,
        detail={
            "channel": outcome.channel,
            "template": outcome.template,
            "attempts": outcome.attempts,
            "reason": outcome.error,
        },
        now=container.clock.now(),
    )


def _tell(outcome: Outcome) -> None:
    fields = {
        "message": outcome.id,
        "channel": outcome.channel,
        "template": outcome.template,
        "attempts": outcome.attempts,
        "detail": outcome.error,
        "again_at": outcome.due_at,
    }
    told = {"fields": {name: value for name, value in fields.items() if value}}
    if outcome.state == "sent":
        _log.info("message.sent", extra=told)
    elif outcome.state == "postponed":
        _log.warning("message.postponed", extra=told)
    else:
        _log.error("message.given_up", extra=told)
