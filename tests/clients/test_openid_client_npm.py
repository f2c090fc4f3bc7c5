"""The journey of tests/node/journey.mjs: openid-client from npm, unmodified, with its checks switched on.

The library validates what it gets: issuer and `iss` of the answer (RFC 9207), state, nonce, audience, times
and the signature of the ID token by the published keys, the subject of userinfo. Asserted here is the rest.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import SCOPE
from tests.clients.journeys import API, SIGNED_OUT, sign_in
from tests.live import LiveProvider
from tests.provider import Client
from tests.services import node_modules_path

pytestmark = pytest.mark.node


Journey = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def journey(provider: LiveProvider) -> Journey:
    """Runs one journey of the script for a client; its result."""
    modules = node_modules_path()
    if modules is None:
        pytest.skip("*** Node.js or openid-client is missing: its journeys are SKIPPED ***")

    def run(name: str, client: Client, **given: Any) -> dict[str, Any]:
        node = subprocess.Popen(
            ["node", str(modules.parent / "journey.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        known = {
            "journey": name,
            "issuer": provider.issuer,
            "client_id": client.id,
            "client_secret": client.secret,
            "auth_method": client.auth_method,
            "redirect_uri": client.redirect_uri,
            "api": API,
            "signed_out": SIGNED_OUT,
        }
        with node:
            try:
                return _converse(provider, node, {**known, **given})
            finally:
                node.kill()

    return run


def _converse(provider: LiveProvider, node: subprocess.Popen[str], given: dict[str, Any]) -> dict[str, Any]:
    assert node.stdin is not None
    assert node.stdout is not None
    assert node.stderr is not None
    print(json.dumps(given), file=node.stdin, flush=True)
    for line in node.stdout:
        said = json.loads(line)
        if "result" in said:
            result: dict[str, Any] = said["result"]
            return result
        print(json.dumps({"callback": sign_in(provider, said["authorize"])}), file=node.stdin, flush=True)
    raise AssertionError(node.stderr.read())


@pytest.mark.parametrize(
    ("name", "id_token_alg", "dots"),
    [("basic", "RS256", 2), ("post", "ES256", 0), ("public", "EdDSA", 2)],
)
def test_a_person_logs_in(
    provider: LiveProvider,
    clients: dict[str, Client],
    journey: Journey,
    name: str,
    id_token_alg: str,
    dots: int,
) -> None:
    client = clients[name]

    seen = journey("person", client, scope=SCOPE, id_token_alg=id_token_alg)

    assert seen["forged"] is not None
    assert seen["claims"]["iss"] == provider.issuer
    assert seen["claims"]["aud"] == client.id
    assert seen["userinfo"]["name"] == "Ada King"
    assert seen["userinfo"]["email"] == "ada@example.com"
    assert seen["userinfo"]["email_verified"] is True
    assert seen["userinfo_after"] == seen["userinfo"]
    assert seen["tokens"]["token_type"] == "bearer"  # the library writes it in lower case
    assert seen["tokens"]["access_token"].count(".") == dots
    assert seen["refreshed"]["access_token"] != seen["tokens"]["access_token"]
    assert seen["for_api"]["scope"] == "read:notes"
    _assert_refreshed_id_token_names_the_same_login(seen)
    if client.secret:
        assert seen["before"]["active"] is True
        assert seen["before"]["client_id"] == client.id
    _assert_the_end_is_the_end(seen)


def _assert_refreshed_id_token_names_the_same_login(seen: dict[str, Any]) -> None:
    """OpenID Connect Core §12.2: same subject, same auth_time, a later iat."""
    before, after = seen["claims"], seen["refreshed"]["claims"]
    assert after["sub"] == before["sub"]
    assert after["auth_time"] == before["auth_time"]
    assert after["iat"] >= before["iat"]


def _assert_the_end_is_the_end(seen: dict[str, Any]) -> None:
    assert seen["after"] in (None, {"active": False})
    assert seen["refresh_after_revocation"] == "invalid_grant"
    assert seen["code_again"] == "invalid_grant"


def test_the_logout_address_leads_back_to_the_application(
    provider: LiveProvider, clients: dict[str, Client], journey: Journey
) -> None:
    """OpenID Connect RP-Initiated Logout §3: back to the registered address, with the state."""
    seen = journey("person", clients["basic"], scope=SCOPE)

    page = provider.browser().get(seen["end_session"])
    if page.has("logout-yes"):
        page = page.submit("logout-yes")

    assert page.url == f"{SIGNED_OUT}?state=bye"


def test_a_wrong_nonce_is_noticed(clients: dict[str, Client], journey: Journey) -> None:
    """The ID token carries the nonce of the request and no other."""
    seen = journey("wrongNonce", clients["basic"], scope="openid")

    assert seen["refusal"] == "OAUTH_JWT_CLAIM_COMPARISON_FAILED"


@pytest.mark.parametrize("name", ["machine-basic", "machine-post"])
def test_a_machine_gets_a_token_and_gives_it_back(
    clients: dict[str, Client], journey: Journey, name: str
) -> None:
    client = clients[name]

    seen = journey("machine", client, scope="read:notes")

    assert seen["tokens"]["scope"] == "read:notes"
    assert seen["before"]["active"] is True
    assert seen["before"]["sub"] == client.id
    assert seen["before"]["aud"] == API
    assert seen["after"] == {"active": False}


def test_the_script_overrides_nothing_of_the_library() -> None:
    """The proof is worth something only while the published package is used as it is."""
    folder = Path(__file__).resolve().parents[1] / "node"
    package = json.loads((folder / "package.json").read_text())
    script = (folder / "journey.mjs").read_text()

    assert package["dependencies"].keys() == {"openid-client"}
    assert "customFetch" not in script
    assert "clockSkew" not in script
