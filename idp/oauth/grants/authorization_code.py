"""The authorization code grant: one statement uses up the code and opens its token family.

Source: RFC 6749 §4.1.3, RFC 7636 §4.5 and §4.6, OpenID Connect Core §3.1.3.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, OAuth2Error

from idp.audit import Actor, AuditEvent
from idp.crypto import b64url_encode
from idp.oauth.grants.base import Grant
from idp.oauth.issue import TokenKind, UserIssue
from idp.observability import get_logger
from idp.storage.hot import CodeClaim
from idp.tokens import AUTHORIZATION_CODE_KIND, AuthorizedGrant, new_family_id

MAX_ATTEMPTS = 5
"""Wrong verifiers after which a code is burnt (row C8)."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MAX_CODE_LENGTH = 256
_log = get_logger(__name__)


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
        services, client, form = self.services, self.registered, self.oauth_request.form
        code = self.oauth_request.require("code")  # RFC 6749 §4.1.3
        if len(code) > _MAX_CODE_LENGTH:
            raise _refused()
        digest = services.codes.digest_of(code)
        proof = _proof(form.get("code_verifier"))  # RFC 7636 §4.5
        resource = form.get("resource")  # RFC 8707 §2.2
        if resource is not None or services.scopes.may_span_several(client):
            self._look_before(digest, proof, resource)
        claim = self._claim(digest, proof, form.get("redirect_uri"))
        claimed = services.hot.claim_code(claim)  # RFC 6749 §4.1.2, RFC 7636 §4.6
        if claimed is None:
            self._look_closer(claim)
            raise _refused()
        grant = AuthorizedGrant.from_json(claimed.grant)
        family_id = claim.family_id
        has_refresh = grant.refresh and client.may_refresh
        return self.issuer.issue_for_account(
            UserIssue(
                self._kind_or_revoke(grant, resource, family_id),
                claimed.account,
                grant,
                family_id,
                claim.family_expires_at,
                claimed.session_id,
                services.refresh_tokens.encode(family_id, 0) if has_refresh else None,
                grant.nonce,
                self.now,
            )
        )

    def _claim(self, digest: bytes, proof: str | None, redirect_uri: str | None) -> CodeClaim:
        """What the one statement checks, and what it writes."""
        services, client_id, now = self.services, self.registered.client_id, self.now
        family_id = new_family_id()
        expires_at, idle_expires_at = self.issuer.family_ends(self.registered, now)
        entry = services.audit.entry_of_client(
            AuditEvent.CODE_EXCHANGED,
            client=client_id,
            source=self.oauth_request.source,
            detail={"family": family_id},
            now=now,
        )
        return CodeClaim(  # by place: the cheapest way
            digest,
            client_id,
            proof,
            redirect_uri,
            now,
            family_id,
            expires_at,
            idle_expires_at,
            services.epochs.of(self.registered),
            entry,
        )

    def _kind_or_revoke(self, grant: AuthorizedGrant, resource: str | None, family_id: str) -> TokenKind:
        """Which tokens; a family that can give none, as its resource server is gone, does not stay open."""
        try:
            return self.issuer.kind_for_account(self.registered, grant, resource, now=self.now)
        except OAuth2Error:
            with self.services.database.transaction():
                self.services.repos.families.revoke(family_id, "no_target", self.now)
            raise

    def _look_before(self, digest: bytes, proof: str | None, resource: str | None) -> None:
        """Read the code first, where the claim alone would answer too late; never on the usual path.

        A wrong ``resource`` is told before the code is used up, so that nothing is lost. Only
        the code's own client with the right verifier gets that far; everybody else meets the
        claim and its one answer.
        """
        with self.services.database.transaction(write=False):
            row = self.services.repos.one_time.find(AUTHORIZATION_CODE_KIND, digest)
        if row is None or row.consumed_at is not None:
            return
        if row.binding != self.registered.client_id or row.proof != proof:
            return
        if row.created_at < self.services.epochs.of(self.registered):
            raise _refused()
        self.issuer.kind_for_account(
            self.registered, AuthorizedGrant.from_json(row.payload), resource, now=self.now
        )

    def _look_closer(self, claim: CodeClaim) -> None:
        """Why the claim failed: a replay kills the family (row C2), guessing burns the code (row C8)."""
        client_id = claim.client_id
        repos = self.services.repos
        with self.services.database.transaction():
            row = repos.one_time.find(AUTHORIZATION_CODE_KIND, claim.digest)
            if row is None or row.binding != client_id:
                return
            if row.proof != claim.proof:
                # Security: somebody who cannot prove the request is theirs must not be able
                # to revoke, or a leaked code alone would end the owner's sign-in.
                if row.consumed_at is None:
                    repos.one_time.count_attempt(
                        AUTHORIZATION_CODE_KIND, claim.digest, MAX_ATTEMPTS, self.now
                    )
                return
            if row.consumed_at is None or row.outcome is None or claim.target not in {None, row.target}:
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
