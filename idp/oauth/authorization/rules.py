"""What each check demands, one small function per parameter.

A rule reads the request and returns what it understood, or raises an OAuth error. Where the
error goes (page or redirect) and in which order rules run is said in checks.py alone.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

from authlib.oauth2.rfc6749.errors import (
    InvalidRequestError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from idp.assurance import level_of
from idp.clients import RegisteredClient
from idp.oauth.authorization.parameters import MAX_SIZE, Parameters
from idp.oauth.authorization.steps import ResponseMode
from idp.oauth.claims import SCOPE_CLAIMS, Vocabulary
from idp.oauth.claims_request import (
    ClaimsRequest,
    claims_within,
    essential_acrs,
    parse_claims_request,
    requested_subject,
    wished_acrs,
)
from idp.oauth.errors import UnmetAuthenticationRequirementsError
from idp.oauth.id_token_hint import IdTokenHints
from idp.oauth.scopes import OPENID, GrantedScopes, ScopeResolver, parse_scope

RESPONSE_MODES: tuple[ResponseMode, ...] = get_args(ResponseMode)
PROMPTS = ("none", "login", "consent", "select_account", "create")
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """Everything a rule may look at. What several rules need is worked out once."""

    parameters: Parameters
    found: RegisteredClient | None
    """The client named by ``client_id``, if there is one."""
    resolver: ScopeResolver
    hints: IdTokenHints
    registers: bool = False
    """Whether people may register themselves."""
    known: Vocabulary = field(default_factory=lambda: SCOPE_CLAIMS)
    """Claims that may be asked for."""

    @property
    def client(self) -> RegisteredClient:
        """The registered client.

        Raises:
            InvalidRequestError: no ``client_id``, an unknown one, or a disabled client.
        """
        if self.parameters.get("client_id") is None:
            raise InvalidRequestError("The client_id parameter is missing.")
        if self.found is None:
            raise InvalidRequestError("The client_id parameter names no registered client.")
        if self.found.disabled:
            raise InvalidRequestError("The client is disabled.")
        return self.found

    def get(self, name: str) -> str | None:
        """The value of a parameter; ``None`` when absent or empty."""
        return self.parameters.get(name)

    @cached_property
    def granted(self) -> GrantedScopes:
        """For :func:`scopes`, which says what it raises."""
        return self.resolver.for_authorization(
            client=self.client,
            requested=parse_scope(self.get("scope")),
            resources=self.parameters.resources,
        )

    @cached_property
    def claims(self) -> ClaimsRequest | None:
        """For :func:`claims`, which says what it raises."""
        request = parse_claims_request(self.get("claims"), self.known)
        requested_subject(request)
        if OPENID not in self.granted.scopes:
            return None
        return claims_within(request, self.client.scopes, self.known)


def sane_size(asked: Asked) -> None:
    """Every value within its limit, and all of them together."""
    if asked.parameters.size > MAX_SIZE:
        raise InvalidRequestError(f"The request is larger than {MAX_SIZE} bytes.")
    if name := asked.parameters.oversized():
        raise InvalidRequestError(f"The {name} parameter is too long.")


def sane_characters(asked: Asked) -> None:
    """No NUL, control characters or broken Unicode: databases and logs cannot hold them."""
    if name := asked.parameters.unprintable():
        raise InvalidRequestError(f"The {name} parameter has characters that are not allowed.")


def client(asked: Asked) -> RegisteredClient:
    """A registered, enabled client, named once."""
    if "client_id" in asked.parameters.repeated:
        raise InvalidRequestError("The client_id parameter is repeated.")
    return asked.client


def redirect_uri(asked: Asked) -> str:
    """A registered redirect URI; may be left out if exactly one is registered."""
    if "redirect_uri" in asked.parameters.repeated:
        raise InvalidRequestError("The redirect_uri parameter is repeated.")
    sent, registered = asked.get("redirect_uri"), asked.client.redirect_uris
    if sent is None:
        if len(registered) != 1:
            raise InvalidRequestError("The redirect_uri parameter is missing.")
        return registered[0]
    if not asked.client.allows_redirect_uri(sent):
        raise InvalidRequestError("The redirect_uri parameter is not registered for this client.")
    return sent


def nothing_repeated(asked: Asked) -> None:
    """Each known parameter at most once; ``resource`` may repeat."""
    for name in sorted(asked.parameters.repeated):
        raise InvalidRequestError(f"The {name} parameter is repeated.")


def response_mode(asked: Asked) -> ResponseMode:
    """One of the modes we speak, ``query`` by default, and one the client is registered for."""
    sent = asked.get("response_mode") or "query"
    for mode in RESPONSE_MODES:
        if sent == mode and mode in asked.client.response_modes:
            return mode
    raise InvalidRequestError("The response_mode parameter is not supported.")


def no_request_object(asked: Asked) -> None:
    """Request objects are not supported, and ignoring them would drop what they protect."""
    if asked.get("request") is not None:
        raise RequestNotSupportedError("The request parameter is not supported.")


def no_request_uri(asked: Asked) -> None:
    """As :func:`no_request_object`, by reference."""
    if asked.get("request_uri") is not None:
        raise RequestURINotSupportedError("The request_uri parameter is not supported.")


def no_registration(asked: Asked) -> None:
    """Clients do not register on the fly."""
    if asked.get("registration") is not None:
        raise RegistrationNotSupportedError("The registration parameter is not supported.")


def response_type(asked: Asked) -> None:
    """``code``, and a client registered for it (rows R10, R11)."""
    sent = asked.get("response_type")
    if sent is None:
        raise InvalidRequestError("The response_type parameter is missing.")
    if sent != "code":
        raise UnsupportedResponseTypeError(sent, "The response_type parameter must be code.")
    if "code" not in asked.client.response_types or not asked.client.allows_grant("authorization_code"):
        raise UnauthorizedClientError("The client is not registered for the authorization code flow.")


def scopes(asked: Asked) -> GrantedScopes:
    """Scopes and resources the client may have."""
    return asked.granted


def code_challenge(asked: Asked) -> str | None:
    """PKCE with S256, and nothing else (rows C5, C7; decision D11)."""
    challenge, method = asked.get("code_challenge"), asked.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise InvalidRequestError("The code_challenge parameter is missing.")
        if asked.client.is_public or asked.client.require_pkce:
            raise InvalidRequestError("The code_challenge parameter is missing: this client must use PKCE.")
        return None
    if method != "S256":  # absent means plain (RFC 7636 §4.3)
        raise InvalidRequestError("The code_challenge_method parameter must be S256.")
    if not _S256_CHALLENGE.fullmatch(challenge):
        raise InvalidRequestError("The code_challenge parameter must be a S256 challenge of 43 characters.")
    return challenge


def prompts(asked: Asked) -> tuple[str, ...]:
    """Known prompts; ``none`` stands alone. Unknown ones are ignored, as OIDC Core asks for.

    ``create`` is an error where it cannot be done: a client that sent somebody to register must not
    take a sign-in for that (Initiating User Registration via OpenID Connect §4.1).
    """
    values = (asked.get("prompt") or "").split()
    if "none" in values and len(set(values)) > 1:
        raise InvalidRequestError("The prompt parameter must not combine none with another value.")
    if "create" in values and not asked.registers:
        raise InvalidRequestError("The prompt parameter must not be create: nobody can register here.")
    if "create" in values and not asked.client.allows_registration:
        raise InvalidRequestError("The prompt parameter must not be create: not on the way to this client.")
    return tuple(prompt for prompt in PROMPTS if prompt in values)


def max_age(asked: Asked) -> int | None:
    """Seconds, not negative; the client's ``default_max_age`` when absent."""
    sent = asked.get("max_age")
    if sent is None:
        return asked.client.default_max_age
    if not _SECONDS.fullmatch(sent):
        raise InvalidRequestError("The max_age parameter must be a number of seconds, zero or more.")
    return int(sent)


def claims(asked: Asked) -> ClaimsRequest | None:
    """The ``claims`` parameter, of OpenID requests only, as far as the client's scopes reach (row K4)."""
    return asked.claims


def acr(asked: Asked) -> tuple[str, ...]:
    """An ``acr`` demanded as essential is one that people can reach; those of them that are."""
    demanded = essential_acrs(claims(asked))
    known = tuple(value for value in demanded if level_of(value))
    if demanded and not known:
        raise UnmetAuthenticationRequirementsError("The demanded acr is not supported.")
    return known


def wished_level(asked: Asked) -> int:
    """The level of the most preferred ``acr`` we know; a wish, never an error.

    Source: OpenID Connect Core §3.1.2.1, §5.5.1.1; OpenID Connect Registration §2: the client's
    ``default_acr_values`` count when a request says nothing.
    """
    sent = asked.get("acr_values")
    wished = sent.split() if sent is not None else wished_acrs(claims(asked))
    if wished is None:
        wished = () if acr(asked) else asked.client.default_acr_values
    return next((level for value in wished if (level := level_of(value))), 0)


def hinted_subject(asked: Asked) -> str | None:
    """The person an ``id_token_hint`` names; the hint must be ours and made for this client."""
    token = asked.get("id_token_hint")
    if token is None:
        return None
    hint = asked.hints.read(token)
    if asked.client.client_id not in hint.audience:
        raise InvalidRequestError("The id_token_hint was not issued to this client.")
    return hint.subject
