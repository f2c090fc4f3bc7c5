"""Which identity elsewhere is which account here, and what is kept of it. Callers hold the transaction."""

import json
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from idp.crypto import Sealer, Secret
from idp.errors import NotFound
from idp.federation.identity import ExternalIdentity, FederatedSession, UpstreamIdentity, UpstreamTokens
from idp.ids import new_id
from idp.storage import (
    GROUPS,
    ExternalIdentityRow,
    FederatedLogin,
    FederatedSessionRow,
    Repositories,
    UpstreamTokenRow,
)

_LONGEST_SUBJECT: Final = 255
_LONGEST_SID: Final = 255
_LONGEST_LABEL: Final = 200
_LABELS: Final = ("email", "preferred_username", "name", "nickname")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

MOST_SESSIONS: Final = 1000
"""Ended by one logout token at most; nobody has as many."""


class Identities:
    """Links identities to accounts, and notes which sessions came from where.

    The key is (provider id, issuer, subject) and nothing else (row V9).

    Args:
        repos: repositories on the caller's session.
        tokens: seals the providers' tokens, each with its identity's id.
        id_tokens: seals ID tokens, each with its session's id.
    """

    def __init__(self, repos: Repositories, *, tokens: Sealer, id_tokens: Sealer) -> None:
        self._accounts = repos.accounts
        self._identities = repos.identities
        self._sessions = repos.federated_sessions
        self._tokens = tokens
        self._id_tokens = id_tokens

    def find(self, provider_id: str, issuer: str, subject: str) -> ExternalIdentity | None:
        """The link of this identity; None if it has none."""
        row = self._identities.find(provider_id, issuer, subject) if subject else None
        return None if row is None else _identity(row)

    def link(self, identity: UpstreamIdentity, account_id: str, now: datetime) -> ExternalIdentity:
        """Let this identity be this account from now on.

        Raises:
            Conflict: it is linked already, to whomever, or the account or the provider is gone. The
                transaction cannot go on: the caller reads again in another one, and finds who won.
            ValueError: it has no subject that could be a key (row V9); whoever verified it lets none through.
        """
        if not 1 <= len(identity.subject) <= _LONGEST_SUBJECT:
            raise ValueError("an identity needs a subject of 1 to 255 characters")
        row = ExternalIdentityRow(
            id=new_id("xid", now),
            provider_id=identity.provider_id,
            issuer=identity.issuer,
            subject=identity.subject,
            account_id=account_id,
            label=label_of(identity),
            profile=_profile(identity),
            created_at=now,
            last_used_at=now,
        )
        self._identities.add(row)
        self._keep_tokens(row.id, identity.tokens, now)
        return _identity(row)

    def unlink(self, account_id: str, identity_id: str, now: datetime) -> ExternalIdentity:
        """Cut a link of this account, and forget its tokens and the groups it brings; what it was.

        Whether it is the last way in is asked by the caller (``Enrolled.identities``).

        Raises:
            NotFound: the account has no such link.
        """
        row = self._identities.delete(account_id, identity_id)
        if row is None:
            raise NotFound("There is nothing to remove.", detail="no such identity")
        self._accounts.set_groups_elsewhere(account_id, identity_id, (), now)
        return _identity(row)

    def bring_groups(self, link: ExternalIdentity, groups: Sequence[str], now: datetime) -> bool:
        """Let this identity bring exactly these groups to its account; False if they are as before.

        They last until others come in their place or the link is cut, and are no groups of other identities
        nor of the account itself.
        """
        return self._accounts.set_groups_elsewhere(link.account_id, link.id, groups, now)

    def of_account(self, account_id: str) -> tuple[ExternalIdentity, ...]:
        """Its links, oldest first; those of disabled providers too."""
        return tuple(_identity(row) for row in self._identities.list_(account_id))

    def used(self, identity_id: str, upstream: UpstreamIdentity, now: datetime) -> None:
        """Note a sign-in with it: when, under which name, and the tokens if they are kept.

        Raises:
            NotFound: the link was cut meanwhile.
        """
        noted = self._identities.note_use(
            identity_id, label=label_of(upstream), profile=_profile(upstream), now=now
        )
        if not noted:
            raise NotFound("There is no such account.", detail="the identity is not linked any more")
        self._keep_tokens(identity_id, upstream.tokens, now)

    def bind_session(self, session_id: str, upstream: UpstreamIdentity, now: datetime) -> None:
        """Note that this browser session stands on this identity; the latest proof counts.

        Raises:
            Conflict: there is no such session in this transaction. It cannot go on.
        """
        hint = upstream.id_token
        sid = upstream.upstream_sid
        self._sessions.set(
            FederatedSessionRow(
                session_id=session_id,
                provider_id=upstream.provider_id,
                issuer=upstream.issuer,
                subject=upstream.subject,
                upstream_sid=sid if sid is not None and 1 <= len(sid) <= _LONGEST_SID else None,
                sealed_id_token=None
                if hint is None
                else self._id_tokens.seal(hint.reveal().encode(), context=_session_context(session_id)),
                created_at=now,
            )
        )

    def session_of(self, session_id: str) -> FederatedSession | None:
        """Where this browser session came from; None if from nowhere else.

        Raises:
            Unsealable: the ID token was sealed for another session, or under another root key.
        """
        row = self._sessions.find(session_id)
        if row is None:
            return None
        sealed, context = row.sealed_id_token, _session_context(row.session_id)
        return FederatedSession(
            session_id=row.session_id,
            provider_id=row.provider_id,
            issuer=row.issuer,
            subject=row.subject,
            upstream_sid=row.upstream_sid,
            id_token=None
            if sealed is None
            else Secret(self._id_tokens.open(sealed, context=context).decode()),
            created_at=row.created_at,
        )

    def sessions_for_logout(
        self, *, provider_id: str, issuer: str, subject: str | None, upstream_sid: str | None
    ) -> tuple[FederatedLogin, ...]:
        """Live sessions that a logout token is about, as (session id, account id).

        By ``sid`` one, by ``sub`` all of the person, by both only what fits both.

        Raises:
            ValueError: it names neither.

        Source: OpenID Connect Back-Channel Logout 1.0 §2.4, §2.7.
        """
        if subject is None and upstream_sid is None:
            raise ValueError("a logout token names a person or a session")
        found = self._sessions.for_logout(
            provider_id=provider_id,
            issuer=issuer,
            subject=subject,
            upstream_sid=upstream_sid,
            limit=MOST_SESSIONS,
        )
        return tuple(found)

    def upstream_tokens(self, identity_id: str) -> UpstreamTokens | None:
        """The provider's tokens that are kept of this identity, or None.

        Raises:
            Unsealable: they were sealed for another identity, or under another root key.
        """
        row = self._identities.tokens(identity_id)
        return None if row is None else self._opened(row)

    def _keep_tokens(self, identity_id: str, tokens: UpstreamTokens | None, now: datetime) -> None:
        if tokens is None:
            # They are not to be kept, or not any more.
            self._identities.drop_tokens(identity_id)
            return
        refresh_token = tokens.refresh_token
        if refresh_token is None:
            # Many providers give a refresh token at the first consent only; it stays valid (RFC 6749 §6).
            row = self._identities.tokens(identity_id)
            refresh_token = None if row is None else self._opened(row).refresh_token
        body = {
            "access_token": tokens.access_token.reveal(),
            "refresh_token": None if refresh_token is None else refresh_token.reveal(),
        }
        self._identities.set_tokens(
            UpstreamTokenRow(
                identity_id=identity_id,
                sealed_tokens=self._tokens.seal(
                    json.dumps(body).encode(), context=_identity_context(identity_id)
                ),
                expires_at=tokens.expires_at,
                scope=tokens.scope,
                updated_at=now,
            )
        )

    def _opened(self, row: UpstreamTokenRow) -> UpstreamTokens:
        opened = self._tokens.open(row.sealed_tokens, context=_identity_context(row.identity_id))
        body: dict[str, str | None] = json.loads(opened)
        refresh_token = body["refresh_token"]
        return UpstreamTokens(
            access_token=Secret(body["access_token"] or ""),
            refresh_token=None if refresh_token is None else Secret(refresh_token),
            expires_at=row.expires_at,
            scope=row.scope,
        )


def label_of(identity: UpstreamIdentity) -> str:
    """What the person knows this identity by: its address or name there, else its subject."""
    names = (identity.email, *(identity.claims.get(name) for name in _LABELS), identity.subject)
    for name in names:
        if isinstance(name, str):
            visible = "".join(char for char in name if unicodedata.category(char) not in _INVISIBLE).strip()
            if visible:
                return visible[:_LONGEST_LABEL]
    return identity.provider_id


def _profile(identity: UpstreamIdentity) -> dict[str, Any]:
    """The claims and groups of a sign-in; whether the address is verified stays beside it."""
    profile = dict(identity.claims)
    if identity.groups:
        profile[GROUPS] = list(identity.groups)
    if identity.email is not None:
        profile |= {"email": identity.email, "email_verified": identity.email_verified}
    return profile


def _identity(row: ExternalIdentityRow) -> ExternalIdentity:
    return ExternalIdentity(
        id=row.id,
        provider_id=row.provider_id,
        issuer=row.issuer,
        subject=row.subject,
        account_id=row.account_id,
        label=row.label,
        profile=dict(row.profile),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


def _session_context(session_id: str) -> bytes:
    return b"session:" + session_id.encode()


def _identity_context(identity_id: str) -> bytes:
    return b"identity:" + identity_id.encode()
