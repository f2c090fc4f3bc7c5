"""One provider on SQLite for the web room's own tests; people and clients are made once."""

from collections.abc import Iterator

import pytest

from tests.provider import Client, Provider, make_provider, make_settings


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    made = make_provider(make_settings(tmp_path_factory.mktemp("web")))
    made.account("ada", email="ada@example.org", claims={"name": "Ada Lovelace"})
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(provider: Provider) -> Client:
    """A third-party client with everything a page can show."""
    return provider.client(
        "shop",
        first_party=False,
        require_pkce=False,
        client_name="Shop <b>& Sons</b>",
        policy_uri="https://shop.example/privacy",
        tos_uri="https://shop.example/terms",
        post_logout_redirect_uris=["https://shop.example/bye"],
    )
