"""Everything that is kept about a person, for themself, as JSON."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import orjson

from idp.accounts import Account
from idp.audit import Actor, AuditEvent, Source
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession
from idp.storage import AuditEventRow, BrowserSessionRow, ConsentRow, TokenFamilyRow

Row = TypeVar("Row", BrowserSessionRow, TokenFamilyRow, AuditEventRow)

FORMAT: Final = 1
"""Raised when a member changes its meaning; members may be added."""

_PIECE: Final = 500
"""Rows read, and written out, at a time: the whole is never in memory."""

_MOST: Final = 1000
"""Devices and consents; nobody has as many."""


class Export:
    """Gathers what the tables hold of one account. No secret, no digest and no sealed value comes out."""

    def __init__(self, services: SelfServiceServices, authenticators: Authenticators) -> None:
        self._services = services
        self._authenticators = authenticators

    def begin(self, person: BrowserSession, *, source: Source, now: datetime) -> Iterator[bytes]:
        """The document in pieces; together they are one JSON object.

        Raises:
            NotFresh: the person has to prove themself first.
        """
        services = self._services
        with services.database.transaction():
            self._authenticators.assert_fresh(person, now)
            services.audit.record(
                AuditEvent.ACCOUNT_EXPORTED,
                actor=Actor.account(person.account_id, source),
                account=person.account_id,
                session=person.id,
                now=now,
            )
        with services.database.transaction(write=False):
            account = services.accounts.get(person.account_id)
            head = {
                "format": FORMAT,
                "issuer": services.settings.issuer,
                "exported_at": _moment(now),
                "account": _account(account),
                **self._belongings(account),
            }
        return self._pieces(person.account_id, head)

    def _pieces(self, account_id: str, head: dict[str, Any]) -> Iterator[bytes]:
        yield orjson.dumps(head, option=orjson.OPT_INDENT_2).rstrip(b"}\n")
        exports = self._services.repos.exports
        yield from self._list(
            "sessions",
            lambda after: exports.sessions(account_id, after=after, limit=_PIECE),
            _session,
        )
        yield from self._list(
            "access_of_applications",
            lambda after: exports.families(account_id, after=after, limit=_PIECE),
            _family,
        )
        events = self._services.repos.overviews
        yield from self._list(
            "history",
            lambda before: events.events(account_id, names=(), limit=_PIECE, before=before or None),
            _event,
        )
        yield b"\n}\n"

    def _list(
        self, name: str, read: Callable[[str], Sequence[Row]], show: Callable[[Row], dict[str, Any]]
    ) -> Iterator[bytes]:
        """One member that is a list, read by and by; each piece is a short transaction of its own."""
        yield b",\n  " + orjson.dumps(name) + b": ["
        place, first = "", True
        while True:
            with self._services.database.transaction(write=False):
                rows = read(place)
                lines = [orjson.dumps(show(row)) for row in rows]
                place = rows[-1].id if rows else place
            if lines:
                yield (b"\n    " if first else b",\n    ") + b",\n    ".join(lines)
                first = False
            if len(rows) < _PIECE:
                break
        yield b"\n  ]"

    def _belongings(self, account: Account) -> dict[str, Any]:
        repos, account_id = self._services.repos, account.id
        deletion = repos.deletions.find(account_id)
        return {
            "names_to_sign_in_with": [
                {"name": row.canonical, "kind": row.kind} for row in repos.exports.identifiers(account_id)
            ],
            "authenticators": self._proofs(account_id),
            "accounts_elsewhere": self._identities(account),
            "known_browsers": [
                {
                    "first_seen_at": _moment(row.created_at),
                    "last_seen_at": _moment(row.last_seen_at),
                    "no_second_step_until": _moment(row.trusted_until),
                }
                for row in repos.exports.devices(account_id, limit=_MOST)
            ],
            "consents": [_consent(row) for row in repos.overviews.consents(account_id, limit=_MOST)],
            "deletion": None
            if deletion is None
            else {
                "requested_at": _moment(deletion.requested_at),
                "delete_after": _moment(deletion.delete_after),
            },
        }

    def _identities(self, account: Account) -> list[dict[str, Any]]:
        """Who the person is at other providers, as those said it."""
        identities = self._services.repos.identities
        with_tokens, groups = identities.ids_with_tokens(account.id), account.groups_elsewhere
        return [
            {
                "provider": row.provider_id,
                "issuer": row.issuer,
                "sub": row.subject,
                "label": row.label,
                "profile": dict(row.profile),
                "brings_groups": list(groups.get(row.id, ())),
                "tokens_kept": row.id in with_tokens,
                "linked_at": _moment(row.created_at),
                "last_used_at": _moment(row.last_used_at),
            }
            for row in identities.list_(account.id)
        ]

    def _proofs(self, account_id: str) -> dict[str, Any]:
        """What the person can prove who they are with, without the means to do it."""
        repos = self._services.repos
        has, totp = repos.enrolments.of(account_id), repos.totp.find(account_id)
        return {
            "password": {"set_at": _moment(has.password_set_at)} if has.password_set_at else None,
            "passkeys": [
                {
                    "name": row.name,
                    "aaguid": row.aaguid,
                    "transports": list(row.transports),
                    "synced": row.backed_up,
                    "created_at": _moment(row.created_at),
                    "last_used_at": _moment(row.last_used_at),
                }
                for row in repos.passkeys.list_(account_id)
            ],
            "authenticator_app": None
            if totp is None
            else {"created_at": _moment(totp.created_at), "last_used_at": _moment(totp.last_used_at)},
            "recovery_codes_left": has.recovery_codes,
            "codes_sent_to": [
                {
                    "channel": row.channel,
                    "address": row.address,
                    "created_at": _moment(row.created_at),
                    "last_used_at": _moment(row.last_used_at),
                }
                for row in repos.code_factors.list_(account_id)
            ],
        }


def _account(account: Account) -> dict[str, Any]:
    return {
        "sub": account.id,
        "username": account.username,
        "email": account.email,
        "email_verified": account.email_verified,
        "claims": account.own_claims,
        "created_at": _moment(account.created_at),
        "updated_at": _moment(account.updated_at),
    }


def _consent(row: ConsentRow) -> dict[str, Any]:
    return {
        "application": row.client_id,
        "resource": row.resource or None,
        "scopes": [scope for scope in row.scopes if scope],
        "claims": list(row.claims),
        "granted_at": _moment(row.granted_at),
        "updated_at": _moment(row.updated_at),
    }


def _session(row: BrowserSessionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "signed_in_at": _moment(row.auth_time),
        "began_at": _moment(row.created_at),
        "last_seen_at": _moment(row.last_seen_at),
        "expires_at": _moment(row.expires_at),
        "ended_at": _moment(row.ended_at),
        "end_reason": row.end_reason,
        "acr": row.acr,
        "amr": list(row.amr),
        "user_agent": row.user_agent,
        "address": row.address,
    }


def _family(row: TokenFamilyRow) -> dict[str, Any]:
    return {
        "application": row.client_id,
        "session": row.session_id,
        "scopes": list(row.grant_data.get("scopes", ())),
        "resources": list(row.grant_data.get("resources", ())),
        "while_you_are_away": row.offline,
        "began_at": _moment(row.created_at),
        "last_used_at": _moment(row.last_used_at),
        "expires_at": _moment(row.expires_at),
        "revoked_at": _moment(row.revoked_at),
        "revoked_reason": row.revoked_reason,
    }


def _event(row: AuditEventRow) -> dict[str, Any]:
    # Where an application's server stands is nothing about the person.
    is_person = row.actor.startswith("account")
    return {
        "at": _moment(row.occurred_at),
        "event": row.event,
        "by": row.actor if is_person else row.actor.partition(":")[0],
        "application": row.client_id,
        "session": row.session_id,
        "address": row.address if is_person else None,
        "user_agent": row.user_agent if is_person else None,
        "detail": dict(row.detail),
    }


def _moment(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")
