"""What happens next to an authorization request: a page, or the answer to the client."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple
from urllib.parse import quote, urlencode

from idp.accounts import Account
from idp.clients import RegisteredClient

ResponseMode = Literal["query", "fragment", "form_post"]


class Reason(StrEnum):
    """Why a page is needed; for the program that asks, not for the person who sees the page."""

    NO_SESSION = "no_session"
    """Nobody is signed in."""
    PROMPT_LOGIN = "prompt_login"
    """The client sent ``prompt=login``."""
    MAX_AGE = "max_age"
    """The sign-in is older than ``max_age`` allows."""
    ID_TOKEN_HINT = "id_token_hint"
    """Somebody else is signed in than the ID token names."""
    CLAIMS_SUB = "claims_sub"
    """Somebody else is signed in than the ``claims`` parameter names."""
    ACR = "acr"
    """The client asks for a higher level than the sign-in has."""
    IDENTITY_PROVIDER = "identity_provider"
    """The client's people sign in through one provider, and the sign-in did not come from there."""
    PROMPT_CREATE = "prompt_create"
    """The client sent ``prompt=create``."""
    OTHER_ACCOUNT = "other_account"
    """The person wants to use another account."""
    PROMPT_SELECT_ACCOUNT = "prompt_select_account"
    """The client sent ``prompt=select_account``."""
    PROMPT_CONSENT = "prompt_consent"
    """The client sent ``prompt=consent``."""
    NEW_SCOPES = "new_scopes"
    """The client asks for scopes or resources the person has not allowed it yet."""
    NEW_CLAIMS = "new_claims"
    """The client asks for single claims the person has not allowed it yet."""
    UNASSURED_NATIVE_CLIENT = "unassured_native_client"
    """Any app on the device could take the answer. Source: RFC 8252 §8.6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationResponse:
    """The answer to the client, success or error alike."""

    redirect_uri: str
    """As registered, its own query included."""
    mode: ResponseMode
    params: tuple[tuple[str, str], ...]
    """In the order they are sent; values are unencoded."""

    def location(self) -> str:
        """The address to redirect to, for the modes ``query`` and ``fragment``.

        For ``form_post`` it is the form's action: the redirect URI alone.

        Source: RFC 6749 §4.1.2 (a query of the redirect URI is kept, §3.1.2), OAuth 2.0
        Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2.
        """
        if self.mode == "form_post":
            return self.redirect_uri
        encoded = urlencode(self.params, quote_via=quote, safe="")
        if self.mode == "fragment":
            return f"{self.redirect_uri}#{encoded}"
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{encoded}"


@dataclass(frozen=True, slots=True)
class ShowLogin:
    """Send the browser to the login page of this interaction."""

    uid: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ShowSignup:
    """Send the browser to the page where people register, for this interaction."""

    uid: str


@dataclass(frozen=True, slots=True)
class ShowSelectAccount:
    """Send the browser to the page that asks which account to use."""

    uid: str


@dataclass(frozen=True, slots=True)
class ShowConsent:
    """Send the browser to the consent page of this interaction."""

    uid: str


@dataclass(frozen=True, slots=True)
class Respond:
    """Send the browser back to the client."""

    response: AuthorizationResponse


Step = ShowLogin | ShowSignup | ShowSelectAccount | ShowConsent | Respond


class Demand(NamedTuple):
    """What a sign-in for one request has to come to; places in the ladder of ``acr``, 0 for anything."""

    level: int
    """What is asked for, at least ``minimum``. Who cannot reach it goes on without."""
    minimum: int
    """What is insisted on: below it the client is not answered."""

    @property
    def must(self) -> bool:
        """Whether anything beyond a simple sign-in is insisted on."""
        return self.minimum > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionView:
    """What the pages of one interaction may show before anybody has signed in."""

    uid: str
    client: RegisteredClient
    login_hint: str | None
    ui_locales: tuple[str, ...]
    redirect_origin: str
    """For ``form-action`` of the content security policy: ``https://rp.example`` or ``scheme:``."""
    required: Demand
    """What a sign-in for this request has to come to."""
    steps_up: bool
    """Whether the sign-in that is there is good, and only its level has to rise. Otherwise people prove
    from the start who they are."""
    parks: bool
    """Whether somebody is to sign in beside the person who is, who then stays signed in."""
    asks_again: bool
    """Whether the client wants a new sign-in (``prompt=login``)."""
    max_age: int | None
    """Seconds that a sign-in may lie in the past."""
    idp_hint: str | None
    """The provider that the client would send the person to; nobody has looked whether there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentQuestion:
    """What the consent page asks, in plain words."""

    view: InteractionView
    client: RegisteredClient
    account: Account
    items: tuple[tuple[str, str], ...]
    """Scope (or claim) and its sentence: everything this answer would allow."""
    offline: bool
    """Access continues after the person has left (``offline_access``)."""
    resources: tuple[tuple[str, str], ...]
    """Identifier and name of the resource servers tokens will be for."""
