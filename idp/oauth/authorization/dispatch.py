"""The order of a sign-in. The only place that knows it: no step chooses the next one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oidc.core.errors import AccountSelectionRequiredError, ConsentRequiredError, LoginRequiredError

from idp.oauth.authorization.prompts import (
    Standing,
    consent_reason,
    create_reason,
    login_reason,
    select_account_reason,
)
from idp.oauth.authorization.steps import Reason
from idp.oauth.errors import RedirectedError


class Prompt(Enum):
    """A page that may stand between a request and its answer."""

    CREATE = auto()
    LOGIN = auto()
    SELECT_ACCOUNT = auto()
    CONSENT = auto()


@dataclass(frozen=True, slots=True)
class Needed:
    """The page that comes next, and why."""

    prompt: Prompt
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Line:
    prompt: Prompt
    reason: Callable[[Standing], Reason | None]
    silent_error: type[OAuth2Error]


# fmt: off
ORDER = (
    #     page                   why it is needed       without a page (prompt=none): OIDC Core §3.1.2.6
    _Line(Prompt.CREATE,         create_reason,         LoginRequiredError),
    _Line(Prompt.LOGIN,          login_reason,          LoginRequiredError),
    _Line(Prompt.SELECT_ACCOUNT, select_account_reason, AccountSelectionRequiredError),
    _Line(Prompt.CONSENT,        consent_reason,        ConsentRequiredError),
)
# fmt: on

_WRONG_PERSON = frozenset({Reason.ID_TOKEN_HINT, Reason.CLAIMS_SUB})


def next_prompt(standing: Standing) -> Needed | None:
    """The first page that is still needed; ``None`` when the client can be answered.

    Raises:
        RedirectedError: a page is needed but not allowed (``prompt=none``), or the person has
            just signed in as somebody else than the client insists on (OIDC Core §3.1.2.1).
    """
    for line in ORDER:
        reason = line.reason(standing)
        if reason is None:
            continue
        if standing.request.is_silent:
            raise RedirectedError(
                line.silent_error("The request cannot be answered without a page."), detail=reason
            )
        session = standing.session
        if reason in _WRONG_PERSON and session is not None and standing.progress.has_signed_in(session):
            raise RedirectedError(LoginRequiredError("Another account has signed in."), detail=reason)
        return Needed(line.prompt, reason)
    return None
