"""Other providers, linked identities, the sessions that came from there, and tokens that are kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, func, select, update

from idp.storage.groups import GROUPS_ELSEWHERE, with_groups_elsewhere
from idp.storage.models import (
    AccountRow,
    BrowserSessionRow,
    ExternalIdentityRow,
    FederatedSessionRow,
    IdentityProviderRow,
    UpstreamTokenRow,
)
from idp.storage.records import ClearedLinks, FederatedLogin
from idp.storage.repositories.base import FRESH, Repository

_LINKED = "This identity is linked to an account already."


class ProviderRepository(Repository):
    """Rows of other providers."""

    def add(self, row: IdentityProviderRow) -> None:
        """Write a new provider.

        Raises:
            IntegrityConflict: the id is taken. The transaction cannot go on.
        """
        self._insert(row, conflict="The provider id is already taken.")

    def get(self, provider_id: str) -> IdentityProviderRow | None:
        """The provider, or None."""
        return self._session.get(IdentityProviderRow, provider_id, execution_options=FRESH)

    def load_all(self) -> list[IdentityProviderRow]:
        """Every provider, by id."""
        statement = select(IdentityProviderRow).order_by(IdentityProviderRow.id)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def update(self, row: IdentityProviderRow) -> None:
        """Write a provider's changed columns; the row may come from an earlier transaction."""
        self._session.merge(row)
        self._session.flush()

    def has_secrets(self) -> bool:
        """Whether any provider has a secret, which only the present root key opens."""
        statement = select(IdentityProviderRow.id).where(IdentityProviderRow.sealed_secret.is_not(None))
        return self._session.scalars(statement.limit(1)).first() is not None

    def count_identities(self, provider_id: str) -> int:
        """How many identities of this provider are linked."""
        statement = select(func.count()).select_from(ExternalIdentityRow)
        return self._session.scalars(statement.where(ExternalIdentityRow.provider_id == provider_id)).one()

    def clear(self, provider_id: str, limit: int, now: datetime) -> ClearedLinks:
        """Delete at most ``limit`` linked identities and ``limit`` notes of where sessions came from.

        With the identities go the groups that they bring. There may be millions: the caller repeats it,
        each time in a transaction of its own, until fewer than ``limit`` of each were left. The sessions
        themselves go on.
        """
        identity, session = ExternalIdentityRow, FederatedSessionRow
        rows = select(identity.id, identity.account_id).where(identity.provider_id == provider_id)
        links = self._session.execute(rows.order_by(identity.id).limit(limit)).all()
        self._take_groups({row.id: row.account_id for row in links}, now)
        # No later identity, whose groups would stay.
        these = (identity.provider_id == provider_id, identity.id <= links[-1][0]) if links else None
        return ClearedLinks(
            0 if these is None else self._delete_some(identity, *these, limit=limit),
            self._delete_some(session, session.provider_id == provider_id, limit=limit),
        )

    def _take_groups(self, owners: Mapping[str, str], now: datetime) -> None:
        """Take from accounts what these identities bring; ``owners``: the account of each."""
        account = AccountRow
        statement = (
            select(account)
            .where(
                account.id.in_(set(owners.values())),
                cast(account.claims, Text).contains(f'"{GROUPS_ELSEWHERE}"', autoescape=True),
            )
            .order_by(account.id)
            .with_for_update()
        )
        rows = {row.id: row for row in self._session.scalars(statement, execution_options=FRESH)}
        for identity_id, account_id in owners.items():
            row = rows.get(account_id)
            if row is None:
                continue
            claims = with_groups_elsewhere(row.claims, identity_id, ())
            if claims != row.claims:
                row.claims, row.updated_at = claims, now
        self._session.flush()

    def delete(self, provider_id: str) -> bool:
        """Remove a provider, and what :meth:`clear` left of it; False if there is none."""
        statement = delete(IdentityProviderRow).where(IdentityProviderRow.id == provider_id)
        return self._session.execute(statement.returning(IdentityProviderRow.id)).first() is not None


class ExternalIdentityRepository(Repository):
    """Rows of linked identities."""

    def add(self, row: ExternalIdentityRow) -> None:
        """Write a new link.

        Raises:
            IntegrityConflict: the identity is linked, to whomever (row V9), or the account or the provider is
                gone. The transaction cannot go on.
        """
        self._insert(row, conflict=_LINKED)

    def find(self, provider_id: str, issuer: str, subject: str) -> ExternalIdentityRow | None:
        """The link of this identity, or None."""
        row = ExternalIdentityRow
        statement = select(row).where(
            row.provider_id == provider_id, row.issuer == issuer, row.subject == subject
        )
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def list_(self, account_id: str) -> list[ExternalIdentityRow]:
        """Those of an account, oldest first."""
        row = ExternalIdentityRow
        statement = select(row).where(row.account_id == account_id).order_by(row.id)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def note_use(self, identity_id: str, *, label: str, profile: Mapping[str, Any], now: datetime) -> bool:
        """Note a sign-in, and what was said in it; False if the link is gone."""
        statement = (
            update(ExternalIdentityRow)
            .where(ExternalIdentityRow.id == identity_id)
            .values(label=label, profile=dict(profile), last_used_at=now)
            .returning(ExternalIdentityRow.id)
        )
        return self._session.execute(statement).first() is not None

    def delete(self, account_id: str, identity_id: str) -> ExternalIdentityRow | None:
        """Cut a link, its tokens with it; the row as it was, or None if the account has no such link."""
        statement = (
            delete(ExternalIdentityRow)
            .where(ExternalIdentityRow.id == identity_id, ExternalIdentityRow.account_id == account_id)
            .returning(ExternalIdentityRow)
        )
        return self._session.scalars(statement, execution_options={"synchronize_session": False}).first()

    def set_tokens(self, row: UpstreamTokenRow) -> None:
        """Make these the identity's only tokens.

        Raises:
            IntegrityConflict: the link is gone. The transaction cannot go on.
        """
        self._replace(row)

    def tokens(self, identity_id: str) -> UpstreamTokenRow | None:
        """What is kept of this identity, or None."""
        return self._session.get(UpstreamTokenRow, identity_id, execution_options=FRESH)

    def drop_tokens(self, identity_id: str) -> bool:
        """Forget the tokens of an identity; False if none were kept."""
        statement = delete(UpstreamTokenRow).where(UpstreamTokenRow.identity_id == identity_id)
        return self._session.execute(statement.returning(UpstreamTokenRow.identity_id)).first() is not None

    def drop_tokens_of(self, provider_id: str, limit: int) -> int:
        """Forget at most ``limit`` of the tokens of a provider's identities; how many."""
        identities = select(ExternalIdentityRow.id).where(ExternalIdentityRow.provider_id == provider_id)
        token = UpstreamTokenRow
        return self._delete_some(token, token.identity_id.in_(identities), limit=limit)

    def ids_with_tokens(self, account_id: str) -> frozenset[str]:
        """Which identities of an account have tokens kept."""
        row = ExternalIdentityRow
        statement = select(row.id).join(UpstreamTokenRow, UpstreamTokenRow.identity_id == row.id)
        return frozenset(self._session.scalars(statement.where(row.account_id == account_id)))


class FederatedSessionRepository(Repository):
    """Where browser sessions came from."""

    def set(self, row: FederatedSessionRow) -> None:
        """Note where a session came from; the latest proof counts.

        Raises:
            IntegrityConflict: the session or the provider is gone. The transaction cannot go on.
        """
        self._replace(row)

    def find(self, session_id: str) -> FederatedSessionRow | None:
        """Where this session came from; None if from nowhere else."""
        return self._session.get(FederatedSessionRow, session_id, execution_options=FRESH)

    def for_logout(
        self, *, provider_id: str, issuer: str, subject: str | None, upstream_sid: str | None, limit: int
    ) -> Sequence[FederatedLogin]:
        """At most ``limit`` live sessions that a logout token of this provider is about.

        With both, a session has to fit both: the token is about this session of this person.
        """
        row, session = FederatedSessionRow, BrowserSessionRow
        conditions: list[ColumnElement[bool]] = [row.provider_id == provider_id, row.issuer == issuer]
        if subject is not None:
            conditions.append(row.subject == subject)
        if upstream_sid is not None:
            conditions.append(row.upstream_sid == upstream_sid)
        statement = (
            select(row.session_id, session.account_id)
            .join(session, session.id == row.session_id)
            .where(*conditions, session.ended_at.is_(None))
            .order_by(row.session_id)
            .limit(limit)
        )
        return [FederatedLogin(*found) for found in self._session.execute(statement)]
