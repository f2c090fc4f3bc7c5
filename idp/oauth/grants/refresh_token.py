"""The refresh token grant: one statement advances the family. Source: RFC 6749 §6, RFC 9700 §4.14.2."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidGrantError

from idp.audit import Actor, AuditEvent
from idp.oauth.grants.base import Grant
from idp.oauth.issue import TokenKind, UserIssue
from idp.oauth.live_tokens import is_family_usable
from idp.oauth.scopes import parse_scope
from idp.observability import get_logger
from idp.storage.hot import AdvancedFamily, FamilyAdvance, FamilyState
from idp.tokens import AuthorizedGrant, InvalidToken, RefreshTokenParts

_log = get_logger(__name__)


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
        services, form = self.services, self.oauth_request.form
        parts = self._presented()  # RFC 6749 §6
        if "scope" in form or "resource" in form or services.scopes.may_span_several(self.registered):
            self._assert_within_grant(parts)  # RFC 6749 §6, RFC 8707 §2.2
        advanced = services.hot.advance_family(self._advance(parts))  # RFC 9700 §4.14.2
        if advanced is None:
            advanced = self._look_closer(parts)
        grant = AuthorizedGrant.from_json(advanced.grant)
        return self.issuer.issue_for_account(
            UserIssue(
                self._kind(grant),
                advanced.account,
                grant,
                parts.family_id,
                advanced.expires_at,
                advanced.session_id,
                services.refresh_tokens.encode(parts.family_id, advanced.generation),
                None,  # RFC 6749 §6 knows no authorization request, and so no nonce (OIDC Core §12.2)
                self.now,
            )
        )

    def _presented(self) -> RefreshTokenParts:
        token = self.oauth_request.require("refresh_token")
        try:
            return self.services.refresh_tokens.decode(token)
        except InvalidToken as error:
            raise _refused() from error

    def _advance(self, parts: RefreshTokenParts) -> FamilyAdvance:
        """What the one statement checks, and what it writes."""
        services, client, now = self.services, self.registered, self.now
        family_id, generation = parts
        entry = services.audit.entry_of_client(
            AuditEvent.TOKEN_REFRESHED,
            client=client.client_id,
            source=self.oauth_request.source,
            detail={"family": family_id, "generation": generation},
            now=now,
        )
        return FamilyAdvance(  # by place: the cheapest way
            family_id,
            generation,
            client.client_id,
            now,
            client.rotate_refresh_tokens,
            self.issuer.family_ends(client, now)[1],
            services.epochs.of(client),
            entry,
        )

    def _kind(self, grant: AuthorizedGrant) -> TokenKind:
        form = self.oauth_request.form
        requested = parse_scope(form["scope"]) if "scope" in form else ()
        return self.issuer.kind_for_account(
            self.registered, grant, form.get("resource"), requested=requested, now=self.now
        )

    def _assert_within_grant(self, parts: RefreshTokenParts) -> None:
        """More than was granted is told before the token is used up; strangers meet the statement."""
        parse_scope(self.oauth_request.form.get("scope"))
        family = self.services.hot.find_family(parts.family_id)
        if family is not None and family.client_id == self.registered.client_id:
            self._kind(AuthorizedGrant.from_json(family.grant))

    def _look_closer(self, parts: RefreshTokenParts) -> AdvancedFamily:
        """Why the advance failed: the same child again inside the grace window, or reuse.

        Raises:
            InvalidGrantError: the token gives nothing; on reuse the family is dead now (row T7).
        """
        family = self.services.hot.find_family(parts.family_id)
        epoch = self.services.epochs.of(self.registered)
        if family is None or not is_family_usable(family, self.registered, epoch=epoch, now=self.now):
            raise _refused()
        if parts.generation == family.generation - 1 and self._in_grace(family):
            return AdvancedFamily(
                account=family.account,
                grant_json=family.grant_json,
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
