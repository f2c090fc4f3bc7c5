"""The ordered list of checks: what is checked, by which rule, and where a failure goes.

Everything up to ``redirect_uri`` must be fine before anything may be sent anywhere (row R2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError, OAuth2Error

from idp.clients import RegisteredClient
from idp.oauth.authorization import rules
from idp.oauth.authorization.request import AuthorizationRequest, ReplyAddress
from idp.oauth.authorization.rules import Asked
from idp.oauth.claims_request import requested_subject
from idp.oauth.errors import RedirectedError, ShownError


class Failure(Enum):
    """Who hears of a failed check."""

    SHOWN = auto()
    """The person, on a page."""
    REDIRECTED = auto()
    """The client, at its redirect URI."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list."""

    rule: Callable[[Asked], object]
    parameter: str | None
    failure: Failure


_SHOWN, _REDIRECTED = Failure.SHOWN, Failure.REDIRECTED

# fmt: off
CHECKS = (
    #     rule                     parameter          a failure is
    Check(rules.sane_size,         None,              _SHOWN),       # row X3
    Check(rules.sane_characters,   None,              _SHOWN),       # RFC 6749 appendix A; row X5
    Check(rules.client,            "client_id",       _SHOWN),       # RFC 6749 §4.1.2.1, §3.1.2.4
    Check(rules.redirect_uri,      "redirect_uri",    _SHOWN),       # RFC 6749 §3.1.2.3; RFC 9700 §4.1.3
    Check(rules.nothing_repeated,  None,              _REDIRECTED),  # RFC 6749 §3.1
    Check(rules.response_mode,     "response_mode",   _REDIRECTED),  # Multiple Response Types §2.1
    Check(rules.no_request_object, "request",         _REDIRECTED),  # OIDC Core §3.1.2.6, §6.1
    Check(rules.no_request_uri,    "request_uri",     _REDIRECTED),  # OIDC Core §3.1.2.6, §6.2
    Check(rules.no_registration,   "registration",    _REDIRECTED),  # OIDC Core §3.1.2.6, §7.2.1
    Check(rules.response_type,     "response_type",   _REDIRECTED),  # RFC 6749 §3.1.1; RFC 9700 §2.1.2
    Check(rules.scopes,            "scope",           _REDIRECTED),  # RFC 6749 §3.3; RFC 8707 §2
    Check(rules.code_challenge,    "code_challenge",  _REDIRECTED),  # RFC 7636 §4.4.1; RFC 9700 §2.1.1
    Check(rules.prompts,           "prompt",          _REDIRECTED),  # OIDC Core §3.1.2.1
    Check(rules.max_age,           "max_age",         _REDIRECTED),  # OIDC Core §3.1.2.1
    Check(rules.claims,            "claims",          _REDIRECTED),  # OIDC Core §5.5
    Check(rules.acr,               "claims",          _REDIRECTED),  # OIDC Core §5.5.1.1
    Check(rules.hinted_subject,    "id_token_hint",   _REDIRECTED),  # OIDC Core §3.1.2.1
)
# fmt: on


def check(asked: Asked) -> AuthorizationRequest:
    """Run every check in order and return the request that passed them all.

    Raises:
        ShownError: client or redirect URI cannot be trusted, or the request is not sane.
        RedirectedError: anything else; :func:`reply_address` says where to.
    """
    for line in CHECKS:
        try:
            line.rule(asked)
        except OAuth2Error as error:
            kind = ShownError if line.failure is Failure.SHOWN else RedirectedError
            raise kind(error, parameter=line.parameter) from error
    return _assemble(asked)


def reply_address(asked: Asked) -> ReplyAddress:
    """Where an error goes: for requests whose client and redirect URI passed their checks.

    An unusable response mode falls back to ``query``; a repeated ``state`` is not guessed at.
    """
    try:
        mode = "query" if "response_mode" in asked.parameters.repeated else rules.response_mode(asked)
    except InvalidRequestError:
        mode = "query"
    state = None if "state" in asked.parameters.repeated else asked.get("state")
    return ReplyAddress(rules.redirect_uri(asked), mode, state)


def recheck(request: AuthorizationRequest, client: RegisteredClient | None) -> RegisteredClient:
    """What may have changed since a stored request passed its checks: the client's registration.

    Raises:
        ShownError: the client is gone or disabled, or the redirect URI was withdrawn.
        RedirectedError: a scope or the grant was withdrawn.
    """
    if client is None or client.disabled:
        raise ShownError(InvalidRequestError("The client is disabled."), parameter="client_id")
    if not client.allows_redirect_uri(request.redirect_uri):
        wrong = InvalidRequestError("The redirect_uri parameter is not registered for this client.")
        raise ShownError(wrong, parameter="redirect_uri")
    if not (set(request.scopes) <= client.scopes and client.allows_grant("authorization_code")):
        raise RedirectedError(InvalidScopeError("The client's registration has changed."), parameter="scope")
    return client


def _assemble(asked: Asked) -> AuthorizationRequest:
    """The typed request; every rule has passed, so none raises here."""
    claims = rules.claims(asked)
    granted = rules.scopes(asked)
    reply = reply_address(asked)
    return AuthorizationRequest(
        client_id=asked.client.client_id,
        redirect_uri=reply.redirect_uri,
        response_mode=reply.mode,
        state=reply.state,
        nonce=asked.get("nonce"),
        scopes=granted.scopes,
        resources=granted.resources,
        default_audience=granted.default_audience,
        code_challenge=rules.code_challenge(asked),
        prompts=rules.prompts(asked),
        max_age=rules.max_age(asked),
        wished_level=rules.wished_level(asked),
        demanded_acrs=rules.acr(asked),
        claims=claims,
        hinted_subject=rules.hinted_subject(asked),
        claimed_subject=requested_subject(claims),
        login_hint=asked.get("login_hint"),
        ui_locales=tuple((asked.get("ui_locales") or "").split()),
        idp_hint=asked.get("idp_hint") or asked.get("kc_idp_hint"),
    )
