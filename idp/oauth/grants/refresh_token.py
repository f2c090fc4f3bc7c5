"""The refresh token grant: one statement advances the family. Source: RFC 6749 §6, RFC 9700 §4.14.2."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749.errors import InvalidGrantError

from idp.audit import Actor, AuditEvent
from idp.oauth.grants.base import Grant
from idp.oauth.issue import UserIssue
from idp.oauth.live_tokens import is_family_usable
from idp.oauth.scopes import TokenTarget, parse_scope
from idp.observability import get_logger
from idp.storage.hot import AccountState, FamilyAdvance, FamilyState
from idp.tokens import AuthorizedGrant, InvalidToken, RefreshTokenParts

_log = get_logger(__name__)


class _Advanced(NamedTuple):
    """A family after its token was used, by the statement or inside the grace window."""

    account: AccountState
    grant: AuthorizedGrant
    session_id: str | None
    generation: int
    expires_at: datetime


class RefreshTokenGrant(Grant):
    """New tokens for a family; a reused token kills it, except for a moment after the rotation (D12)."""

    GRANT_TYPE = "refresh_token"

    def answer(self) -> Mapping[str, Any]:
        """Advance the family, then sign.

        Raises:
            InvalidRequestError: ``refresh_token`` missing.
            InvalidGrantError: everything that is wrong with the token, told alike.
            InvalidScopeError, InvalidTargetError: more than was granted (row T10); the token
                stays usable.
        """
        parts = self._presented()
        if self.oauth_request.form.keys() & {"scope", "resource"} or self.may_have_to_choose:
            self._assert_within_grant(parts)
        advanced = self._advance(parts) or self._look_closer(parts)
        return self.issuer.issue_for_account(
            UserIssue(
                client=self.registered,
                account=advanced.account,
                grant=advanced.grant,
                target=self._target(advanced.grant),
                family_id=parts.family_id,
                family_expires_at=advanced.expires_at,
                session_id=advanced.session_id,
                refresh_token=self.services.refresh_tokens.encode(parts.family_id, advanced.generation),
                nonce=None,
                now=self.now,
            )
        )

    def _presented(self) -> RefreshTokenParts:
        token = self.oauth_request.require("refresh_token")
        try:
            return self.services.refresh_tokens.decode(token)
        except InvalidToken as error:
            raise _refused() from error

    def _advance(self, parts: RefreshTokenParts) -> _Advanced | None:
        client = self.registered
        advanced = self.services.hot.advance_family(
            FamilyAdvance(
                family_id=parts.family_id,
                generation=parts.generation,
                client_id=client.client_id,
                now=self.now,
                rotate=client.rotate_refresh_tokens,
                idle_expires_at=self.issuer.family_idle_end(client, self.now),
                client_not_before=self.epoch,
                audit=self.services.audit.entry_of_client(
                    AuditEvent.TOKEN_REFRESHED,
                    client=client.client_id,
                    source=self.oauth_request.source,
                    detail={"family": parts.family_id, "generation": parts.generation},
                    now=self.now,
                ),
            )
        )
        if advanced is None:
            return None
        return _Advanced(
            account=advanced.account,
            grant=AuthorizedGrant.from_json(advanced.grant),
            session_id=advanced.session_id,
            generation=advanced.generation,
            expires_at=advanced.expires_at,
        )

    def _target(self, grant: AuthorizedGrant) -> TokenTarget:
        form = self.oauth_request.form
        return self.services.scopes.for_user_token(
            granted=grant.scopes,
            granted_resources=grant.resources,
            default_audience=grant.default_audience,
            resource=form.get("resource"),
            requested=parse_scope(form.get("scope")),
        )

    def _assert_within_grant(self, parts: RefreshTokenParts) -> None:
        """More than was granted is told before the token is used up; strangers meet the statement."""
        parse_scope(self.oauth_request.form.get("scope"))
        family = self.services.hot.find_family(parts.family_id)
        if family is not None and family.client_id == self.registered.client_id:
            self._target(AuthorizedGrant.from_json(family.grant))

    def _look_closer(self, parts: RefreshTokenParts) -> _Advanced:
        """Why the advance failed: the same child again inside the grace window, or reuse.

        Raises:
            InvalidGrantError: the token gives nothing; on reuse the family is dead now (row T7).
        """
        family = self.services.hot.find_family(parts.family_id)
        if family is None or not is_family_usable(family, self.registered, epoch=self.epoch, now=self.now):
            raise _refused()
        if parts.generation == family.generation - 1 and self._in_grace(family):
            return _Advanced(
                account=family.account,
                grant=AuthorizedGrant.from_json(family.grant),
                session_id=family.session_id,
                generation=family.generation,
                expires_at=family.expires_at,
            )
        if parts.generation < family.generation:
            self._revoke(parts, family)
        # A generation ahead of the stored one is from before a backup was restored: only refused.
        raise _refused()

    def _in_grace(self, family: FamilyState) -> bool:
        """Whether the last rotation is so fresh that a second tab or a lost answer explains the old token."""
        grace = self.registered.refresh_token_grace
        if grace is None:
            grace = self.services.settings.tokens.refresh_token_grace
        return family.rotated_at is not None and timedelta(0) < grace and self.now < family.rotated_at + grace

    def _revoke(self, parts: RefreshTokenParts, family: FamilyState) -> None:
        detail = {"family": parts.family_id, "generation": parts.generation, "newest": family.generation}
        client_id = self.registered.client_id
        with self.services.database.transaction():
            if not self.services.repos.families.revoke(parts.family_id, "refresh_token_reused", self.now):
                return
            self.services.audit.record(
                AuditEvent.REFRESH_REUSED,
                actor=Actor.client(client_id, self.oauth_request.source),
                account=family.account.id,
                client=client_id,
                session=family.session_id,
                detail=detail,
                now=self.now,
            )
        _log.warning("token.refresh.reused", extra={"fields": {"client_id": client_id, **detail}})


def _refused() -> InvalidGrantError:
    return InvalidGrantError("The refresh token is invalid, expired or revoked.")
