"""Resource servers, as operators register them."""

from collections.abc import Mapping
from typing import Any

from idp.admin.context import AdminContext
from idp.audit import AuditEvent
from idp.resources import ResourceServer


class ResourceAdmin:
    """Registers, lists and deletes resource servers."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    def create(
        self,
        *,
        identifier: str,
        name: str,
        scopes: Mapping[str, str],
        access_token_format: str | None = None,
    ) -> dict[str, Any]:
        """Register an API with its scopes and the sentence people read for each.

        Raises:
            Invalid: a part breaks its rule.
            Conflict: the identifier is taken.
        """
        context = self._context
        with context.change("resources") as now:
            server = context.resources.create(
                identifier=identifier,
                name=name,
                scopes=scopes,
                access_token_format=access_token_format,
                now=now,
            )
            detail = {"identifier": server.identifier, "scopes": list(server.scopes)}
            context.record(AuditEvent.RESOURCE_CREATED, now, detail=detail)
        return _shown(server)

    def list_(self) -> list[dict[str, Any]]:
        """Every resource server, by identifier."""
        with self._context.database.transaction(write=False):
            return [_shown(server) for server in self._context.resources.list_()]

    def get(self, identifier: str) -> dict[str, Any]:
        """One resource server.

        Raises:
            NotFound: there is none.
        """
        with self._context.database.transaction(write=False):
            return _shown(self._context.resources.get(identifier))

    def delete(self, identifier: str) -> dict[str, Any]:
        """Remove a resource server; its scopes can no longer be granted.

        Raises:
            NotFound: there is no such resource server.
        """
        context = self._context
        with context.change("resources") as now:
            context.resources.delete(identifier)
            context.record(AuditEvent.RESOURCE_DELETED, now, detail={"identifier": identifier})
        return {"identifier": identifier, "deleted": True}


def _shown(server: ResourceServer) -> dict[str, Any]:
    return {
        "identifier": server.identifier,
        "name": server.name,
        "scopes": dict(server.scopes),
        "access_token_format": server.access_token_format,
    }
