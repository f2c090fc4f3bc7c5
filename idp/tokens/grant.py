"""What a person (or nobody, for none of the claims) agreed to: the content of a code and a family.

Written as JSON into the code's one-time row and moved from there into the family's row by
one statement, so that later requests cannot change it (row R14).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class AuthorizedGrant(NamedTuple):
    """One answered authorization request."""

    client_id: str
    account_id: str
    scopes: tuple[str, ...]
    """Granted scopes, in the order they were asked for."""
    redirect_uri: str
    auth_time: datetime
    """When the person proved who they are."""
    resources: tuple[str, ...] = ()
    """Identifiers of the resource servers tokens can be for (RFC 8707); without the issuer."""
    default_audience: str | None = None
    """Whom a token is for when its request names no ``resource``; ``None``: it has to name one."""
    claims_request: dict[str, Any] | None = None
    """The ``claims`` parameter (OIDC Core §5.5), checked."""
    nonce: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    code_challenge: str | None = None
    """S256; ``None`` only for clients exempted from PKCE (decision D11)."""
    sid: str | None = None
    """The browser session, as OIDC logout knows it."""
    refresh: bool = False
    """Whether refresh tokens are issued."""
    offline: bool = False
    """Whether the family survives the end of the browser session (``offline_access``)."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; ``auth_time`` in microseconds since 1970, so that epochs compare exactly."""
        content = self._asdict()
        content["auth_time"] = (self.auth_time - _EPOCH) // _MICROSECOND
        for name in ("scopes", "resources", "amr"):
            content[name] = list(content[name])
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "AuthorizedGrant":
        """The inverse of :meth:`to_json`.

        Members it does not know are passed over: during a rolling upgrade the newer release
        may have written them.

        Raises:
            KeyError, TypeError: not written by :meth:`to_json`.
        """
        try:
            members = _members(content)
        except KeyError:  # an older release wrote fewer
            members = _members({**cls._field_defaults, **content})
        client_id, account_id, scopes, redirect_uri, auth_time, resources, audience, asked, nonce, *rest = (
            members
        )
        acr, amr, challenge, sid, refresh, offline = rest
        return cls(  # by place: the cheapest way, and every code and refresh comes here
            client_id,
            account_id,
            tuple(scopes),
            redirect_uri,
            _EPOCH + auth_time * _MICROSECOND,
            tuple(resources),
            audience,
            asked,
            nonce,
            acr,
            tuple(amr),
            challenge,
            sid,
            refresh,
            offline,
        )


_members = itemgetter(*AuthorizedGrant._fields)
"""All in one call."""
