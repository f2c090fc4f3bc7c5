"""Authlib on the other side: its requests session, and the two examples that stand on its Flask parts.

The session is given no compliance hook and no exception; ID tokens are verified with the published keys and
Authlib's own claim rules.
"""

import base64
import json
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from tests.clients.conftest import SCOPE
from tests.clients.journeys import API, SIGNED_OUT, Example, sign_in
from tests.live import LiveProvider
from tests.provider import Client

Clients = dict[str, Client]
Json = dict[str, Any]


def session_for(client: Client, **options: Any) -> OAuth2Session:
    return OAuth2Session(
        client.id,
        client.secret,
        redirect_uri=client.redirect_uri or None,
        token_endpoint_auth_method=client.auth_method,
        revocation_endpoint_auth_method=client.auth_method,
        code_challenge_method="S256",
        **options,
    )


def log_in(provider: LiveProvider, session: OAuth2Session, **parameters: str) -> Json:
    """The code flow with PKCE; the token response."""
    metadata, verifier = provider.metadata(), generate_token(64)
    url, _ = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, **parameters
    )
    tokens: Json = session.fetch_token(
        metadata["token_endpoint"], authorization_response=sign_in(provider, url), code_verifier=verifier
    )
    return tokens


def verified_claims(
    provider: LiveProvider, tokens: Json, client: Client, *, alg: str, nonce: str
) -> CodeIDToken:
    """OpenID Connect Core §3.1.3.7, as Authlib reads it."""
    keys = KeySet.import_key_set(provider.http.get("/jwks").json())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 retires the name EdDSA, not the algorithm
        token = jwt.decode(tokens["id_token"], keys, algorithms=[alg])
    claims = CodeIDToken(
        token.claims,
        token.header,
        {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": client.id},
        },
        {"nonce": nonce, "client_id": client.id, "access_token": tokens["access_token"]},
    )
    claims.validate()
    return claims


@pytest.mark.parametrize(("name", "alg"), [("basic", "RS256"), ("post", "ES256"), ("public", "EdDSA")])
def test_the_session_takes_a_person_from_log_in_to_log_out(
    provider: LiveProvider, clients: Clients, name: str, alg: str
) -> None:
    client, metadata, nonce = clients[name], provider.metadata(), generate_token()
    session = session_for(client, scope=SCOPE)

    tokens = log_in(provider, session, nonce=nonce)
    claims = verified_claims(provider, tokens, client, alg=alg, nonce=nonce)
    userinfo = session.get(metadata["userinfo_endpoint"]).json()
    refreshed = session.refresh_token(metadata["token_endpoint"])
    userinfo_after = session.get(metadata["userinfo_endpoint"]).json()
    revoked = session.revoke_token(metadata["revocation_endpoint"], refreshed.get("refresh_token"))

    assert userinfo["sub"] == claims["sub"]
    assert userinfo["email"] == "ada@example.com"
    assert userinfo_after == userinfo
    assert refreshed["access_token"] != tokens["access_token"]
    assert revoked.status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(metadata["token_endpoint"], refreshed["refresh_token"])


@pytest.mark.parametrize("name", ["basic", "post"])
def test_the_session_introspects(provider: LiveProvider, clients: Clients, name: str) -> None:
    session, endpoint = session_for(clients[name], scope=SCOPE), provider.metadata()["introspection_endpoint"]
    tokens = log_in(provider, session)

    before = session.introspect_token(endpoint, tokens["access_token"]).json()
    session.revoke_token(provider.metadata()["revocation_endpoint"], tokens["access_token"])
    after = session.introspect_token(endpoint, tokens["access_token"]).json()

    assert before["active"] is True
    assert before["sub"].startswith("acc_")
    assert before["iss"] == provider.issuer
    assert after == {"active": False}


def test_the_session_notices_a_foreign_state(provider: LiveProvider, clients: Clients) -> None:
    metadata, session = provider.metadata(), session_for(clients["basic"], scope="openid", state="mine")
    url, _ = session.create_authorization_url(
        metadata["authorization_endpoint"], state="another", code_verifier=generate_token(64)
    )
    callback = sign_in(provider, url)

    with pytest.raises(MismatchingStateException):
        session.fetch_token(metadata["token_endpoint"], authorization_response=callback, state="mine")


def test_log_out_returns_to_the_application(provider: LiveProvider, clients: Clients) -> None:
    tokens = log_in(provider, session_for(clients["basic"], scope="openid"))
    parameters = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": SIGNED_OUT,
        "state": "bye",
    }

    page = provider.browser().get(provider.metadata()["end_session_endpoint"], parameters)
    if page.has("logout-yes"):
        page = page.submit("logout-yes")

    assert page.url == f"{SIGNED_OUT}?state=bye"


@pytest.mark.parametrize("name", ["machine-basic", "machine-post"])
def test_the_session_gets_a_token_for_a_machine(provider: LiveProvider, clients: Clients, name: str) -> None:
    session = session_for(clients[name], scope="read:notes")

    tokens = session.fetch_token(
        provider.metadata()["token_endpoint"], grant_type="client_credentials", resource=API
    )

    assert tokens["scope"] == "read:notes"
    assert "refresh_token" not in tokens


# --- examples/relying_party.py ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def application(provider: LiveProvider, clients: Clients, relying_party_port: int) -> Iterator[Example]:
    client = clients["example"]
    with Example(
        provider,
        "relying_party.py",
        port=relying_party_port,
        CLIENT_ID=client.id,
        CLIENT_SECRET=str(client.secret),
        API_URL="http://localhost:1",
    ) as example:
        yield example


def test_the_flask_client_takes_a_person_from_log_in_to_log_out(
    provider: LiveProvider, application: Example
) -> None:
    """The application and the provider in one browser each: what joins them are the addresses."""
    at_application, at_provider = application.browser(), provider.browser()

    asked = at_application.get("/login")
    answered = provider.sign_in(at_provider.get(asked.url))
    home = at_application.get(answered.url)
    leaving = at_application.get("/logout")
    left = at_provider.get(leaving.url)

    assert urlsplit(asked.url).path == "/authorize"
    assert "code_challenge_method=S256" in asked.url
    assert "nonce=" in asked.url
    assert home.path == "/"
    assert "Hello, Ada King" in home.text
    assert "ada@example.com" in home.text
    assert left.url == f"{application.address}/"
    assert at_application.get("/").has("log-in")
    assert at_provider.get(asked.url).has("login-submit")


def test_the_flask_client_refuses_an_answer_it_did_not_ask_for(
    provider: LiveProvider, application: Example
) -> None:
    asked = application.browser().get("/login")
    answered = provider.sign_in(provider.browser().get(asked.url))

    page = application.browser().get(answered.url)

    assert page.status == 400
    assert "mismatching_state" in page.text


def test_the_application_says_that_the_person_declined(provider: LiveProvider, application: Example) -> None:
    at_application = application.browser()
    asked = at_application.get("/login")
    declined = provider.browser().get(asked.url).submit("login-cancel")

    page = at_application.get(declined.url)

    assert page.status == 400
    assert "access_denied" in page.text


# --- examples/resource_server.py ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(provider: LiveProvider) -> Iterator[Example]:
    with Example(provider, "resource_server.py", API_URL=API) as example:
        yield example


@pytest.fixture
def token(provider: LiveProvider, clients: Clients) -> str:
    return machine_token(provider, clients["machine-basic"])


def machine_token(provider: LiveProvider, client: Client, scope: str = "read:notes", **form: str) -> str:
    answer = provider.http.post(
        "/token",
        {"grant_type": "client_credentials", "scope": scope, "resource": API, **form},
        auth=client.auth,
    )
    assert answer.status == 200, answer.text
    text: str = answer.json()["access_token"]
    return text


def asked_with(api: Example, token: str | None) -> int:
    headers = [("Authorization", f"Bearer {token}")] if token is not None else []
    return api.http.get("/notes", headers=headers).status


def tampered(token: str, **changes: Any) -> str:
    """The same signature over other claims."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps({**claims, **changes}).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


@pytest.mark.parametrize("name", ["machine-basic", "machine-rsa"])
def test_the_api_accepts_a_token_of_either_algorithm(
    provider: LiveProvider, clients: Clients, api: Example, name: str
) -> None:
    token = machine_token(provider, clients[name])

    answer = api.http.get("/notes", headers=[("Authorization", f"Bearer {token}")])

    assert answer.status == 200
    assert answer.json()["client"] == name


def test_the_api_accepts_a_persons_token_and_sees_who_it_is(
    provider: LiveProvider, clients: Clients, api: Example
) -> None:
    session = session_for(clients["basic"], scope=SCOPE)
    log_in(provider, session)
    token = session.refresh_token(provider.metadata()["token_endpoint"], resource=API)["access_token"]

    answer = api.http.get("/notes", headers=[("Authorization", f"Bearer {token}")])

    assert answer.status == 200
    assert answer.json()["owner"].startswith("acc_")
    assert answer.json()["client"] == "basic"


def test_the_api_refuses_a_token_for_somebody_else(
    provider: LiveProvider, clients: Clients, api: Example
) -> None:
    """RFC 9068 §4: the audience must be the resource server itself."""
    session = session_for(clients["basic"], scope=SCOPE)
    for_userinfo = log_in(provider, session)["access_token"]

    assert asked_with(api, for_userinfo) == 401


def test_the_api_refuses_a_token_without_the_scope(
    provider: LiveProvider, clients: Clients, api: Example
) -> None:
    token = machine_token(provider, clients["machine-basic"], scope="write:notes")

    assert asked_with(api, token) == 403


def test_the_api_refuses_an_expired_token(provider: LiveProvider, clients: Clients, api: Example) -> None:
    token = machine_token(provider, clients["machine-brief"])

    provider.wait_for(lambda: asked_with(api, token) == 401)


@pytest.mark.parametrize(
    "changes", [{"scope": "read:notes admin"}, {"sub": "acc_mallory"}, {"exp": 4102444800}]
)
def test_the_api_refuses_a_tampered_token(api: Example, token: str, changes: Json) -> None:
    assert asked_with(api, tampered(token, **changes)) == 401


def test_the_api_refuses_an_id_token(provider: LiveProvider, clients: Clients, api: Example) -> None:
    """Row T4: RFC 9068 §4: the type is at+jwt."""
    tokens = log_in(provider, session_for(clients["basic"], scope=SCOPE))

    assert asked_with(api, tokens["id_token"]) == 401


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "idp_at_AAAA", "eyJhbGciOiJub25lIn0.e30."])
def test_the_api_refuses_what_is_no_token(api: Example, token: str | None) -> None:
    assert asked_with(api, token) in {400, 401}
