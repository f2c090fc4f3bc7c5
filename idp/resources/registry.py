"""Making and removing resource servers. Callers hold the transaction, record audit and bump the feed."""

from collections.abc import Mapping
from datetime import datetime

from idp.errors import NotFound
from idp.resources.directory import resource_server
from idp.resources.rules import ResourceServer, validate_resource
from idp.storage import Repositories, ResourceServerRow


class Resources:
    """Registers and removes resource servers."""

    def __init__(self, repos: Repositories) -> None:
        self._resources = repos.resources

    def create(
        self,
        *,
        identifier: str,
        name: str,
        scopes: Mapping[str, str],
        access_token_format: str | None = None,
        now: datetime,
    ) -> ResourceServer:
        """Register an API.

        Raises:
            Invalid: a part breaks its rule.
            Conflict: the identifier is taken.
        """
        server = validate_resource(
            identifier=identifier, name=name, scopes=scopes, access_token_format=access_token_format
        )
        self._resources.add(
            ResourceServerRow(
                identifier=server.identifier,
                name=server.name,
                scopes=[[scope, sentence] for scope, sentence in server.scopes.items()],
                access_token_format=server.access_token_format,
                created_at=now,
                updated_at=now,
            )
        )
        return server

    def get(self, identifier: str) -> ResourceServer:
        """The resource server with this identifier.

        Raises:
            NotFound: there is none.
        """
        row = self._resources.get(identifier)
        if row is None:
            raise NotFound("There is no such resource server.")
        return resource_server(row)

    def list_(self) -> list[ResourceServer]:
        """Every resource server, by identifier."""
        return [resource_server(row) for row in self._resources.list_()]

    def delete(self, identifier: str) -> None:
        """Remove a resource server; tokens already made for it live out their minutes.

        Raises:
            NotFound: there is no such resource server.
        """
        self.get(identifier)
        self._resources.delete(identifier)
