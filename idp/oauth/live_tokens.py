"""Does a token still count? Asked by userinfo, introspection and refresh, answered in one place (row T16)."""

from datetime import datetime
from typing import NamedTuple

from idp.clients import RegisteredClient
from idp.oauth.services import OAuthServices
from idp.storage.hot import AccessState, FamilyState
from idp.tokens import AccessTokenClaims, InvalidToken, is_dead


class LiveToken(NamedTuple):
    """An access token of ours that counts right now."""

    claims: AccessTokenClaims
    state: AccessState


class LiveTokens:
    """Reads access tokens, JWT and opaque alike; one statement for each that is ours."""

    def __init__(self, services: OAuthServices) -> None:
        self._services = services

    def find(self, token: str, now: datetime) -> LiveToken | None:
        """The token, or ``None`` if it is not ours, expired, revoked, or what it stands on is gone.

        Disabling the account or the client, ending the family and every "not before" count at
        once.

        Raises:
            Unavailable: the database cannot say.
        """
        try:
            claims = self._services.access_tokens.parse(token, now=now)
        except InvalidToken:
            return None
        client = self._services.clients.find(claims.client_id)
        if client is None or client.disabled:
            return None
        if claims.iat < client.created_at.replace(microsecond=0):
            return None  # of a client that had this id before
        state = self._services.hot.check_access(family_id=claims.fam, jti=claims.jti)
        if is_dead(state, claims, client.not_before, self._services.epochs.deployment()):
            return None
        return LiveToken(claims=claims, state=state)


def is_family_usable(
    family: FamilyState, client: RegisteredClient, *, epoch: datetime, now: datetime
) -> bool:
    """Whether the holder of the family's newest refresh token would get tokens now.

    Args:
        family: as it stands in the database.
        client: who presents the token; an authenticated client is enabled.
        epoch: of client and deployment, from :meth:`idp.oauth.epochs.Epochs.of`.
        now: aware UTC time.
    """
    account = family.account
    not_before = epoch if account.not_before is None else max(epoch, account.not_before)
    return (
        family.client_id == client.client_id
        and family.revoked_at is None
        and min(family.expires_at, family.idle_expires_at) > now
        and not account.disabled
        and not_before <= family.created_at
    )
