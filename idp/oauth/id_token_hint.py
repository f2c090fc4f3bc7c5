"""``id_token_hint``: an ID token of ours that says whom the client means.

Source: OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2. A hint is no credential: it may
have expired, and it proves nothing about who is at the browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.keys import InvalidToken, KeyRing

_ID_TOKEN_TYPES = frozenset({None, "jwt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenHint:
    """What a verified ID token says about person, client and session."""

    subject: str
    audience: tuple[str, ...]
    session_id: str | None
    """The ``sid`` claim, when the token has one."""


class IdTokenHints:
    """Verifies hints against our own keys, retired ones included."""

    def __init__(self, *, keyring: KeyRing, issuer: str) -> None:
        self._keyring = keyring
        self._issuer = issuer

    def read(self, token: str) -> IdTokenHint:
        """What the hint says.

        Only signature, type and issuer are judged; ``exp`` is not (RP-Initiated Logout §2:
        "the OP SHOULD accept ID Tokens when the RP identified by the aud claim is known, even
        when the exp time has passed").

        Raises:
            InvalidRequestError: forged, unsigned, of another issuer, or no ID token at all.
        """
        try:
            claims = self._keyring.verify(token, typ=_ID_TOKEN_TYPES)
        except InvalidToken as error:
            raise InvalidRequestError("The id_token_hint is not an ID token of this server.") from error
        if claims.get("iss") != self._issuer:
            raise InvalidRequestError("The id_token_hint is not an ID token of this server.")
        subject, audience, session_id = claims.get("sub"), _audience(claims), claims.get("sid")
        if not isinstance(subject, str) or not audience:
            raise InvalidRequestError("The id_token_hint is not an ID token of this server.")
        return IdTokenHint(
            subject=subject,
            audience=audience,
            session_id=session_id if isinstance(session_id, str) else None,
        )


def _audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    audience = claims.get("aud")
    values = audience if isinstance(audience, list) else [audience]
    return tuple(value for value in values if isinstance(value, str))
