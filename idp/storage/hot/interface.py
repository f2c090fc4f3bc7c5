"""What the token path asks of the database; both implementations pass one test suite.

The values are named tuples, as every token request makes some: a frozen dataclass sets its fields one by
one at more than twice the cost. JSON documents are parsed when somebody asks for them, as many requests
never do.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import orjson

from idp.storage.records import AuditEntry


class AccountState(NamedTuple):
    """What a token decision needs to know of the account, read in the same statement."""

    id: str
    username: str
    email: str | None
    email_verified: bool
    claims_json: str | bytes
    updated_at: datetime
    disabled: bool
    not_before: datetime | None
    """Nothing obtained before this moment counts any more (decision D13)."""

    @property
    def claims(self) -> dict[str, Any]:
        """The claims, parsed anew."""
        claims: dict[str, Any] = orjson.loads(self.claims_json)
        return claims


class CodeClaim(NamedTuple):
    """One attempt to exchange an authorization code."""

    digest: bytes
    client_id: str
    proof: str | None
    """S256 of the presented verifier; ``None`` if none was presented. Must equal the stored challenge."""
    target: str | None
    """The presented redirect URI; ``None`` if none was presented, then it is not compared."""
    now: datetime
    family_id: str
    family_expires_at: datetime
    family_idle_expires_at: datetime
    client_not_before: datetime | None
    """Codes from before this moment do not count."""
    audit: AuditEntry
    """Written with the claim; its account and session are filled in from the code."""


class ClaimedCode(NamedTuple):
    """The winner's answer: what the code stood for."""

    account: AccountState
    grant_json: str | bytes
    session_id: str | None

    @property
    def grant(self) -> Mapping[str, Any]:
        """The grant, parsed anew."""
        grant: Mapping[str, Any] = orjson.loads(self.grant_json)
        return grant


class FamilyAdvance(NamedTuple):
    """One attempt to use a refresh token."""

    family_id: str
    generation: int
    client_id: str
    now: datetime
    rotate: bool
    """Whether the generation grows, making the presented token an old one."""
    idle_expires_at: datetime
    client_not_before: datetime | None
    audit: AuditEntry
    """Written with the advance; its account and session are filled in from the family."""


class AdvancedFamily(NamedTuple):
    """The winner's answer: the family after the advance."""

    account: AccountState
    grant_json: str | bytes
    session_id: str | None
    generation: int
    expires_at: datetime

    @property
    def grant(self) -> Mapping[str, Any]:
        """The grant, parsed anew."""
        grant: Mapping[str, Any] = orjson.loads(self.grant_json)
        return grant


class FamilyState(NamedTuple):
    """A family as it stands; for the failure path, the grace window and introspection."""

    client_id: str
    generation: int
    rotated_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    expires_at: datetime
    idle_expires_at: datetime
    grant_json: str | bytes
    session_id: str | None
    account: AccountState

    @property
    def grant(self) -> Mapping[str, Any]:
        """The grant, parsed anew."""
        grant: Mapping[str, Any] = orjson.loads(self.grant_json)
        return grant


class AccessState(NamedTuple):
    """Whether what stands behind an access token is still there."""

    revoked: bool
    """The token itself was revoked (RFC 7009)."""
    family_live: bool
    """The family exists and is not revoked; ``True`` for tokens without a family."""
    account: AccountState | None
    """``None`` for tokens without a family, or when the account is gone."""
    grant_json: str | bytes | None

    @property
    def grant(self) -> Mapping[str, Any] | None:
        """The family's grant, for the claims that were asked for; parsed anew."""
        return None if self.grant_json is None else orjson.loads(self.grant_json)


class StatementObserver(Protocol):
    """Told of every statement and commit; tests prove the statement budget with it."""

    def statement(self, sql: str) -> None:
        """One statement was sent."""
        ...

    def commit(self) -> None:
        """One writing transaction was committed."""
        ...


class HotStore(Protocol):
    """The token path's storage. Every method raises ``Unavailable`` when the database is."""

    def claim_code(self, claim: CodeClaim) -> ClaimedCode | None:
        """Use up a code, open its family and write the audit event; at most one caller ever succeeds.

        ``None`` says only that the claim failed; the failure path looks closer.

        Source: RFC 6749 §4.1.2, RFC 7636 §4.6; decisions D2 and D12.
        """
        ...

    def advance_family(self, advance: FamilyAdvance) -> AdvancedFamily | None:
        """Use a refresh token of the present generation; with ``rotate`` at most one caller succeeds.

        Source: RFC 9700 §4.14.2; decision D12.
        """
        ...

    def find_family(self, family_id: str) -> FamilyState | None:
        """The family and its account, or ``None``."""
        ...

    def check_access(self, *, family_id: str | None, jti: str) -> AccessState:
        """What userinfo and introspection must know, in one statement."""
        ...
