"""Changing the name one signs in with."""

from datetime import datetime

from idp.accounts import Account
from idp.audit import Actor, AuditEvent, Source
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession


class OwnUsername:
    """Changes a person's username, which clients are told as ``preferred_username``."""

    def __init__(self, services: SelfServiceServices, authenticators: Authenticators) -> None:
        self._services = services
        self._authenticators = authenticators

    def change(self, person: BrowserSession, username: str, *, source: Source, now: datetime) -> Account:
        """Give the account another name; the former one is free for others from then on.

        Raises:
            NotFresh: the person has to prove themself first (row M7).
            Invalid: not a name, or one that looks like an address or a number of others.
            Conflict: it is somebody's.
        """
        services, account_id = self._services, person.account_id
        with services.database.transaction():
            self._authenticators.assert_fresh(person, now)
            before = services.accounts.get(account_id)
            account = services.accounts.change_username(account_id, username, now)
            if account.username != before.username:
                services.audit.record(
                    AuditEvent.ACCOUNT_UPDATED,
                    actor=Actor.account(account_id, source),
                    account=account_id,
                    session=person.id,
                    detail={"fields": ["preferred_username"]},
                    now=now,
                )
            return account
