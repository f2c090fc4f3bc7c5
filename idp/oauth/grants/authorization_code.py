"""The authorization code grant: one statement uses up the code and opens its token family.

Source: RFC 6749 §4.1.3, RFC 7636 §4.5 and §4.6, OpenID Connect Core §3.1.3.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, OAuth2Error

from idp.audit import Actor, AuditEvent
from idp.crypto import b64url_encode
from idp.oauth.grants.base import Grant
from idp.oauth.issue import UserIssue
from idp.oauth.scopes import TokenTarget
from idp.observability import get_logger
from idp.storage.hot import ClaimedCode, CodeClaim
from idp.tokens import AUTHORIZATION_CODE_KIND, AuthorizedGrant, new_family_id

MAX_ATTEMPTS = 5
"""Wrong verifiers after which a code is burnt (row C8)."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MAX_CODE_LENGTH = 256
_log = get_logger(__name__)


class _Presented(NamedTuple):
    """What the client shows to get the code's tokens."""

    digest: bytes
    proof: str | None
    redirect_uri: str | None
    resource: str | None


class AuthorizationCodeGrant(Grant):
    """Exchanges a code for tokens; at most one request ever succeeds (row C1)."""

    GRANT_TYPE = "authorization_code"

    def answer(self) -> Mapping[str, Any]:
        """Claim the code, then sign what it stood for.

        Raises:
            InvalidRequestError: ``code`` missing, or a verifier of the wrong form.
            InvalidGrantError: everything else that is wrong with the code, told alike.
            InvalidTargetError: a ``resource`` outside the grant; the code stays usable.
        """
        presented = self._presented()
        if presented.resource is not None or self.may_have_to_choose:
            self._look_before(presented)
        family_id, family_end = new_family_id(), self.issuer.family_end(self.registered, self.now)
        claimed = self._claim(presented, family_id, family_end)
        if claimed is None:
            self._look_closer(presented)
            raise _refused()
        grant = AuthorizedGrant.from_json(claimed.grant)
        target = self._target_or_revoke(grant, presented, family_id)
        has_refresh = grant.refresh and self.registered.may_refresh
        return self.issuer.issue_for_account(
            UserIssue(
                client=self.registered,
                account=claimed.account,
                grant=grant,
                target=target,
                family_id=family_id,
                family_expires_at=family_end,
                session_id=claimed.session_id,
                refresh_token=self.services.refresh_tokens.encode(family_id, 0) if has_refresh else None,
                nonce=grant.nonce,
                now=self.now,
            )
        )

    def _presented(self) -> _Presented:
        request = self.oauth_request
        code = request.require("code")
        if len(code) > _MAX_CODE_LENGTH:
            raise _refused()
        return _Presented(
            digest=self.services.codes.digest_of(code),
            proof=_proof(request.form.get("code_verifier")),
            redirect_uri=request.form.get("redirect_uri"),
            resource=request.form.get("resource"),
        )

    def _claim(self, presented: _Presented, family_id: str, family_end: datetime) -> ClaimedCode | None:
        client = self.registered
        return self.services.hot.claim_code(
            CodeClaim(
                digest=presented.digest,
                client_id=client.client_id,
                proof=presented.proof,
                target=presented.redirect_uri,
                now=self.now,
                family_id=family_id,
                family_expires_at=family_end,
                family_idle_expires_at=self.issuer.family_idle_end(client, self.now),
                client_not_before=self.epoch,
                audit=self.services.audit.entry_of_client(
                    AuditEvent.CODE_EXCHANGED,
                    client=client.client_id,
                    source=self.oauth_request.source,
                    detail={"family": family_id},
                    now=self.now,
                ),
            )
        )

    def _target(self, grant: AuthorizedGrant, presented: _Presented) -> TokenTarget:
        return self.services.scopes.for_user_token(
            granted=grant.scopes,
            granted_resources=grant.resources,
            default_audience=grant.default_audience,
            resource=presented.resource,
        )

    def _target_or_revoke(self, grant: AuthorizedGrant, presented: _Presented, family_id: str) -> TokenTarget:
        """The target; a family that can give no token, as its resource server is gone, does not stay open."""
        try:
            return self._target(grant, presented)
        except OAuth2Error:
            with self.services.database.transaction():
                self.services.repos.families.revoke(family_id, "no_target", self.now)
            raise

    def _look_before(self, presented: _Presented) -> None:
        """Read the code first, where the claim alone would answer too late; never on the usual path.

        A wrong ``resource`` is told before the code is used up, so that nothing is lost. Only
        the code's own client with the right verifier gets that far; everybody else meets the
        claim and its one answer.
        """
        with self.services.database.transaction(write=False):
            row = self.services.repos.one_time.find(AUTHORIZATION_CODE_KIND, presented.digest)
        if row is None or row.consumed_at is not None:
            return
        if row.binding != self.registered.client_id or row.proof != presented.proof:
            return
        if row.created_at < self.epoch:
            raise _refused()
        self._target(AuthorizedGrant.from_json(row.payload), presented)

    def _look_closer(self, presented: _Presented) -> None:
        """Why the claim failed: a replay kills the family (row C2), guessing burns the code (row C8)."""
        client_id = self.registered.client_id
        repos = self.services.repos
        with self.services.database.transaction():
            row = repos.one_time.find(AUTHORIZATION_CODE_KIND, presented.digest)
            if row is None or row.binding != client_id:
                return
            if row.proof != presented.proof:
                # Security: somebody who cannot prove the request is theirs must not be able
                # to revoke, or a leaked code alone would end the owner's sign-in.
                if row.consumed_at is None:
                    repos.one_time.count_attempt(
                        AUTHORIZATION_CODE_KIND, presented.digest, MAX_ATTEMPTS, self.now
                    )
                return
            if row.consumed_at is None or row.outcome is None or not _targets_match(row.target, presented):
                return
            if not repos.families.revoke(row.outcome, "code_replayed", self.now):
                return
            detail = {"family": row.outcome}
            self.services.audit.record(
                AuditEvent.CODE_REPLAYED,
                actor=Actor.client(client_id, self.oauth_request.source),
                account=row.account_id,
                client=client_id,
                session=row.session_id,
                detail=detail,
                now=self.now,
            )
        _log.warning("token.code.replayed", extra={"fields": {"client_id": client_id, **detail}})


def _targets_match(target: str | None, presented: _Presented) -> bool:
    return presented.redirect_uri is None or presented.redirect_uri == target


def _proof(verifier: str | None) -> str | None:
    """S256 of the verifier, to be compared with the stored challenge; ``None`` without one.

    Raises:
        InvalidRequestError: not 43 to 128 unreserved characters (row C7).

    Source: RFC 7636 §4.1, §4.2.
    """
    if verifier is None:
        return None
    if not _VERIFIER.fullmatch(verifier):
        raise InvalidRequestError("The code_verifier must have 43 to 128 unreserved characters.")
    return b64url_encode(hashlib.sha256(verifier.encode("ascii")).digest())


def _refused() -> InvalidGrantError:
    return InvalidGrantError("The code is invalid, expired, used, or was issued for another request.")
