"""Clients, as operators register and switch them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.admin.context import AdminContext, moment
from idp.audit import AuditEvent
from idp.clients import (
    MAX_OVERLAP,
    Logo,
    LogoUnusable,
    RegisteredClient,
    fetch_logo,
    validate_client_id,
    validate_metadata,
)
from idp.errors import Invalid
from idp.storage import ClearedRows, ClientRow

_BATCH: Final = 2000
"""Rows of one table removed in one transaction: a tenth of a second."""


class ClientAdmin:
    """Registers, lists, shows, deletes, disables and enables clients, and rotates their secrets."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    def create(
        self, *, client_id: str, metadata: Mapping[str, Any], secret: str | None = None
    ) -> dict[str, Any]:
        """Register a client.

        The logo is fetched first, so that pages never load it from elsewhere; a logo that cannot
        be used is a warning in the result, not an error.

        Returns:
            the client; with ``client_secret`` if one was made here, this one time.

        Raises:
            Invalid: the id, the metadata or the secret breaks a rule.
            Conflict: the id is taken.
        """
        context = self._context
        validate_client_id(client_id)
        logo, warnings = self._fetched(validate_metadata(metadata)["logo_uri"])
        with context.change("clients") as now:
            made = context.clients.create(client_id, metadata, secret=secret, now=now)
            if logo is not None:
                context.logos.save(client_id, logo, now)
            self._record_created(made.client, now)
            shown = self._shown(made.client)
        if made.secret is not None and secret is None:
            shown["client_secret"] = made.secret.reveal()
        return {**shown, "warnings": warnings} if warnings else shown

    def update(self, client_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change members of a client's metadata; ``None`` gives one its default again.

        Tokens and consents stay; a scope that is taken away is refused from the next request on.

        Returns:
            the client, with ``changed``, the names of the members that did.

        Raises:
            NotFound: there is no such client.
            Invalid: the result breaks a rule, or another way of authentication is asked for.
        """
        context = self._context
        uri = changes.get("logo_uri")
        logo, warnings = self._fetched(uri if isinstance(uri, str) else None)
        with context.change("clients") as now:
            client, changed = context.clients.update(client_id, changes, now=now)
            if logo is not None:
                context.logos.save(client_id, logo, now)
            elif client.logo_uri is None:
                context.logos.delete(client_id)
            context.record(AuditEvent.CLIENT_UPDATED, now, client=client_id, detail={"fields": changed})
            shown = {**self._shown(client), "changed": list(changed)}
        return {**shown, "warnings": warnings} if warnings else shown

    def list_(self) -> list[dict[str, Any]]:
        """Every client, by id, without secrets (row K12)."""
        with self._context.database.transaction(write=False):
            return [_shown(row) for row, _ in self._context.repos.clients.load_all()]

    def get(self, client_id: str) -> dict[str, Any]:
        """One client, without secrets.

        Raises:
            NotFound: there is none.
        """
        with self._context.database.transaction(write=False):
            client = self._context.clients.get(client_id)
            return {**self._shown(client), "has_logo": self._context.logos.find(client_id) is not None}

    def delete(self, client_id: str, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
        """Remove a client; its tokens die with it.

        First it is disabled, so that from then on nothing of it counts. Then its token families and
        consents go, however many, in small transactions that no request waits for long; the client
        itself goes last. If that is broken off, the client is disabled, its id not free, and deleting it
        again goes on.

        Args:
            client_id: whom to remove.
            progress: told the number of rows removed so far, after every batch but the last.

        Raises:
            NotFound: there is no such client.
        """
        context = self._context
        with context.change("clients") as now:
            if not context.clients.get(client_id).disabled:
                context.clients.set_disabled(client_id, disabled=True, now=now)
                context.record(AuditEvent.CLIENT_DISABLED, now, client=client_id)
        families = consents = 0
        batch = ClearedRows(_BATCH, _BATCH)
        while max(batch) == _BATCH:
            with context.database.transaction():
                batch = context.repos.clients.clear(client_id, _BATCH)
            families, consents = families + batch.families, consents + batch.consents
            if progress is not None and max(batch) == _BATCH:
                progress(families + consents)
        with context.change("clients") as now:
            # Again, for what a worker wrote that had not heard of the first step.
            batch = context.repos.clients.clear(client_id, _BATCH)
            families, consents = families + batch.families, consents + batch.consents
            context.clients.delete(client_id, now)
            detail = {"families": families, "consents": consents}
            context.record(AuditEvent.CLIENT_DELETED, now, client=client_id, detail=detail)
        return {
            "client_id": client_id,
            "deleted": True,
            "removed_families": families,
            "removed_consents": consents,
        }

    def rotate_secret(
        self, client_id: str, *, secret: str | None = None, overlap_days: int = 7
    ) -> dict[str, Any]:
        """Give a client a new secret; the one before works for ``overlap_days`` more (row K5).

        Returns:
            ``client_secret`` if one was made here, and when the one before ends.

        Raises:
            NotFound: there is no such client.
            Invalid: a public client, an unusable secret, or a wrong overlap.
        """
        context = self._context
        if not 0 <= overlap_days <= MAX_OVERLAP.days:  # timedelta does not take every number
            raise Invalid(f"The overlap must be between 0 and {MAX_OVERLAP.days} days.", field="overlap_days")
        overlap = timedelta(days=overlap_days)
        with context.change("clients") as now:
            made = context.clients.rotate_secret(client_id, now=now, secret=secret, overlap=overlap)
            context.record(
                AuditEvent.CLIENT_SECRET_ROTATED,
                now,
                client=client_id,
                detail={"secret": made.secret_id, "previous_expires_at": made.previous_expires_at},
            )
        result = {"client_id": client_id, "previous_secret_expires_at": moment(made.previous_expires_at)}
        if made.secret is not None and secret is None:
            result["client_secret"] = made.secret.reveal()
        return result

    def disable(self, client_id: str) -> dict[str, Any]:
        """Switch a client off: nothing it holds counts any more (row T16).

        Raises:
            NotFound: there is no such client.
        """
        return self._switch(client_id, AuditEvent.CLIENT_DISABLED, disabled=True)

    def enable(self, client_id: str) -> dict[str, Any]:
        """Switch a disabled client on again; tokens from before stay dead.

        Raises:
            NotFound: there is no such client.
        """
        return self._switch(client_id, AuditEvent.CLIENT_ENABLED, disabled=False)

    def refresh_logo(self, client_id: str) -> dict[str, Any]:
        """Fetch the client's logo again; if that fails, the present copy stays.

        Raises:
            NotFound: there is no such client.
        """
        context = self._context
        with context.database.transaction(write=False):
            uri = context.clients.get(client_id).logo_uri
        logo, warnings = self._fetched(uri)
        with context.change("clients") as now:
            if logo is not None:
                context.logos.save(client_id, logo, now)
            elif uri is None:
                context.logos.delete(client_id)
            context.record(AuditEvent.CLIENT_UPDATED, now, client=client_id, detail={"fields": ["logo"]})
        return {"client_id": client_id, "has_logo": logo is not None, "warnings": warnings}

    def _switch(self, client_id: str, event: AuditEvent, *, disabled: bool) -> dict[str, Any]:
        context = self._context
        with context.change("clients") as now:
            client = context.clients.set_disabled(client_id, disabled=disabled, now=now)
            context.record(event, now, client=client_id)
            return self._shown(client)

    def _fetched(self, uri: str | None) -> tuple[Logo | None, list[str]]:
        if uri is None:
            return None, []
        try:
            return fetch_logo(self._context.http, uri), []
        except LogoUnusable as error:
            return None, [error.description]

    def _record_created(self, client: RegisteredClient, now: datetime) -> None:
        detail = {
            "name": client.name,
            "auth_method": client.auth_method,
            "grant_types": client.grant_types,
            "first_party": client.first_party,
        }
        self._context.record(AuditEvent.CLIENT_CREATED, now, client=client.client_id, detail=detail)

    def _shown(self, client: RegisteredClient) -> dict[str, Any]:
        ((row, _),) = self._context.repos.clients.load([client.client_id])
        return _shown(row)


def _shown(row: ClientRow) -> dict[str, Any]:
    """The stored metadata under its registered names; members without a value are left out."""
    return {
        "client_id": row.client_id,
        **{name: value for name, value in row.metadata_.items() if value is not None},
        "disabled": row.disabled_at is not None,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
