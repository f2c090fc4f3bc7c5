"""The record of a person's consent to a client, per resource server."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from idp.storage import ConsentRow, Repositories


@dataclass(frozen=True, slots=True)
class Missing:
    """What a client asks for and the person has not allowed yet."""

    scopes: frozenset[str]
    claims: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.scopes or self.claims)


class Consents:
    """Remembers consents. Callers hold the transaction and record audit.

    ``resource`` is the identifier of a resource server, or empty for scopes that belong to none.
    ``claims`` are names asked for one by one through the ``claims`` parameter.
    """

    def __init__(self, repos: Repositories) -> None:
        self._consents = repos.consents

    def missing(
        self,
        account_id: str,
        client_id: str,
        resource: str | None,
        scopes: Iterable[str],
        claims: Iterable[str] = (),
    ) -> Missing:
        """The part that the person has not allowed yet."""
        row = self._consents.find(account_id, client_id, resource or "")
        if row is None:
            return Missing(frozenset(scopes), frozenset(claims))
        return Missing(frozenset(scopes) - frozenset(row.scopes), frozenset(claims) - frozenset(row.claims))

    def grant(
        self,
        account_id: str,
        client_id: str,
        resource: str | None,
        *,
        scopes: Iterable[str],
        claims: Iterable[str] = (),
        now: datetime,
    ) -> None:
        """Add to what the person allows; what was allowed before stays."""
        row = self._consents.find(account_id, client_id, resource or "")
        self._consents.save(
            ConsentRow(
                account_id=account_id,
                client_id=client_id,
                resource=resource or "",
                scopes=sorted({*scopes, *(row.scopes if row else ())}),
                claims=sorted({*claims, *(row.claims if row else ())}),
                granted_at=row.granted_at if row else now,
                updated_at=now,
            )
        )
