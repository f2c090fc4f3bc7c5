"""The authorization request: checked once, never changed afterwards (row R14)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from idp.oauth.authorization.steps import ResponseMode
from idp.oauth.claims_request import ClaimsRequest


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where the answer goes, and what it carries back. Source: RFC 6749 §4.1.2."""

    redirect_uri: str
    mode: ResponseMode
    state: str | None
    """Returned byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What a client asks for, after every check. Only checks.py makes one."""

    client_id: str
    redirect_uri: str
    """The one sent, or the only one registered."""
    response_mode: ResponseMode
    state: str | None
    nonce: str | None
    scopes: tuple[str, ...]
    """Granted as soon as consent covers them; unknown ones are already gone."""
    resources: tuple[str, ...]
    default_audience: str | None
    """Resource servers the tokens can be for."""
    code_challenge: str | None
    """S256; ``None`` only for clients exempted from PKCE."""
    prompts: tuple[str, ...]
    max_age: int | None
    """Seconds; the client's default when it sent none."""
    wished_level: int
    """Place in the ladder of ``acr`` that the client would like; 0 for none."""
    demanded_acrs: tuple[str, ...]
    """Values of ``acr`` of which one is insisted on; empty when none is."""
    claims: ClaimsRequest | None
    hinted_subject: str | None
    """``sub`` of the verified ``id_token_hint``."""
    claimed_subject: str | None
    """``sub`` that the ``claims`` parameter insists on."""
    login_hint: str | None
    ui_locales: tuple[str, ...]
    idp_hint: str | None = None
    """Id of the provider that the client would send the person to (docs/divergences.md)."""

    @property
    def is_silent(self) -> bool:
        """Whether no page may be shown (``prompt=none``)."""
        return "none" in self.prompts

    @property
    def reply(self) -> ReplyAddress:
        """Where success and failure are sent alike."""
        return ReplyAddress(self.redirect_uri, self.response_mode, self.state)

    def to_json(self) -> dict[str, Any]:
        """For the stored interaction; shares what is inside, which nobody changes."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "AuthorizationRequest":
        """The inverse of :meth:`to_json`."""
        lists = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
        return cls(**{**stored, **lists})


_FIELDS = tuple(field.name for field in fields(AuthorizationRequest))
