"""One served provider for other people's client libraries; all clients are registered before it starts."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.admin import Admin
from idp.cli.context import opened
from idp.settings import load_settings
from idp.storage.migrations import upgrade
from tests.clients.journeys import API, SIGNED_OUT
from tests.live import LiveProvider
from tests.provider import CALLBACK, PASSWORD, Client
from tests.services import free_port

SCOPE = "openid profile email offline_access read:notes"

_APPLICATION = {
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [SIGNED_OUT],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": SCOPE,
}
_MACHINE = {"grant_types": ["client_credentials"], "scope": "read:notes write:notes jobs:run"}
_BASIC, _POST, _NONE = "client_secret_basic", "client_secret_post", "none"

CLIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "basic": (_BASIC, {**_APPLICATION, "id_token_signed_response_alg": "RS256"}),
    "post": (
        _POST,
        {**_APPLICATION, "id_token_signed_response_alg": "ES256", "access_token_format": "opaque"},
    ),
    "public": (_NONE, {**_APPLICATION, "id_token_signed_response_alg": "EdDSA"}),
    "machine-basic": (_BASIC, _MACHINE),
    "machine-post": (_POST, _MACHINE),
    "machine-brief": (_BASIC, {**_MACHINE, "access_token_lifetime": 1}),
    "machine-rsa": (_BASIC, {**_MACHINE, "access_token_signing_alg": "RS256"}),
}


@pytest.fixture(scope="module")
def clients() -> dict[str, Client]:
    """By name; filled by the provider."""
    return {}


@pytest.fixture(scope="module")
def relying_party_port() -> int:
    """Where the example application will listen, to be registered before it starts."""
    return free_port()


@pytest.fixture(scope="module")
def provider(
    tmp_path_factory: pytest.TempPathFactory, clients: dict[str, Client], relying_party_port: int
) -> Iterator[LiveProvider]:
    live = LiveProvider(tmp_path_factory.mktemp("provider"))
    address = f"http://localhost:{relying_party_port}"
    example = {
        **_APPLICATION,
        "redirect_uris": [f"{address}/callback"],
        "post_logout_redirect_uris": [f"{address}/"],
    }
    settings = load_settings(environ=live.environment)
    upgrade(settings.database)
    with opened(settings) as container:
        admin = container.admin
        _people_and_apis(admin)
        for name, (auth_method, metadata) in {**CLIENTS, "example": (_BASIC, example)}.items():
            clients[name] = _client(admin, name, auth_method, metadata)
    live.start()
    try:
        yield live
    finally:
        live.stop()


def _people_and_apis(admin: Admin) -> None:
    admin.accounts.create(
        username="ada",
        email="ada@example.com",
        email_verified=True,
        claims={"name": "Ada King", "given_name": "Ada", "locale": "en-GB"},
        password=PASSWORD,
    )
    admin.resources.create(
        identifier=API,
        name="Notes API",
        scopes={"read:notes": "Read your notes", "write:notes": "Write notes"},
        access_token_format=None,
    )


def _client(admin: Admin, name: str, auth_method: str, metadata: dict[str, Any]) -> Client:
    made = admin.clients.create(
        client_id=name,
        metadata={"client_name": "The Shop", "token_endpoint_auth_method": auth_method, **metadata},
        secret=None,
    )
    return Client(name, made.get("client_secret"), (metadata.get("redirect_uris") or [""])[0], auth_method)
