"""The adapter between a registered client and what Authlib calls one."""

from authlib.oauth2.rfc6749 import ClientMixin

from idp.clients import ClientDirectory, RegisteredClient


class OAuthClient(ClientMixin):
    """A :class:`RegisteredClient` with the methods Authlib's core asks for.

    Our own code reads :attr:`registered`; the methods only keep Authlib's contract.
    """

    __slots__ = ("registered",)

    def __init__(self, registered: RegisteredClient) -> None:
        self.registered = registered

    def get_client_id(self) -> str:
        """The ``client_id``."""
        return self.registered.client_id

    def get_default_redirect_uri(self) -> str | None:
        """The only registered redirect URI; ``None`` if there is none or a choice (row R4)."""
        uris = self.registered.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        """Those of the requested scopes that the client is registered for."""
        return " ".join(value for value in (scope or "").split() if value in self.registered.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether the URI is registered, by exact comparison (row R1)."""
        return self.registered.allows_redirect_uri(redirect_uri)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client is registered for this authentication method; the same at every endpoint."""
        return self.registered.auth_method == method

    def check_response_type(self, response_type: str) -> bool:
        """Whether the client may ask for this response type (row R11)."""
        return response_type in self.registered.response_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use this grant (row R11)."""
        return self.registered.allows_grant(grant_type)


class OAuthClients:
    """Adapters, made once per loaded client: the directory hands out the same object until it changes."""

    def __init__(self, directory: ClientDirectory) -> None:
        self._directory = directory
        self._adapters: dict[str, OAuthClient] = {}

    def find(self, client_id: str) -> OAuthClient | None:
        """The client, or ``None`` if it is not registered. Touches no store."""
        registered = self._directory.find(client_id)
        if registered is None:
            self._adapters.pop(client_id, None)
            return None
        adapter = self._adapters.get(client_id)
        if adapter is None or adapter.registered is not registered:
            adapter = self._adapters[client_id] = OAuthClient(registered)
        return adapter
