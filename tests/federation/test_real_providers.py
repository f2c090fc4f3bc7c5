"""From the authorization request to the verified identity, at real providers: certified, and ourselves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.clock import SystemClock
from idp.crypto import Secret
from idp.federation import (
    Provider,
    ProviderKind,
    RelyingParty,
    UpstreamDenied,
    UpstreamIdentity,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamWish,
)
from idp.http import HttpClient
from idp.settings import HttpSettings
from tests.browser import Page
from tests.provider import Client
from tests.unit.federation.stub import key, public, running_stub
from tests.upstream import CertifiedUpstream, OwnUpstream, UpstreamAccount

OURS = "http://localhost:8000"
CALLBACK = f"{OURS}/federation/upstream/callback"


def _now() -> datetime:
    return SystemClock().now()


def _provider(issuer: str, client: Client, **members: object) -> Provider:
    made = Provider(
        id="upstream",
        preset="oidc",
        kind=ProviderKind.OIDC,
        name="Upstream",
        client_id=client.id,
        secret=Secret(client.secret or ""),
        issuer=issuer,
        scopes=("openid", "profile", "email"),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(made, **members)


def _answer(page: Page) -> dict[str, str]:
    assert page.url.startswith(CALLBACK), page.text
    return dict(parse_qsl(urlsplit(page.url).query))


@pytest.fixture
def relying_party() -> RelyingParty:
    http = HttpClient(HttpSettings(allowed_private_hosts=("localhost", "127.0.0.1")))
    return RelyingParty(http, issuer=OURS, clock=SystemClock())


PEOPLE = {
    "ada": UpstreamAccount(acr="urn:upstream:two", amr=("pwd", "otp")),
    "bob": UpstreamAccount(claims={"name": "Bob", "email": "bob@upstream.example", "email_verified": False}),
}


@pytest.fixture(scope="module")
def certified() -> Iterator[CertifiedUpstream]:
    with CertifiedUpstream(CALLBACK, accounts=PEOPLE) as upstream:
        yield upstream


pytestmark = pytest.mark.node


def _sign_in(
    relying_party: RelyingParty,
    upstream: CertifiedUpstream,
    *,
    account: str = "ada",
    wish: UpstreamWish | None = None,
    **members: object,
) -> UpstreamIdentity:
    provider = _provider(upstream.issuer, upstream.client, **members)
    departure = relying_party.begin(provider, wish or UpstreamWish(), _now())
    answer = _answer(upstream.log_in(departure.url, account))
    assert answer["state"] == departure.state.reveal()
    return relying_party.finish(provider, answer, departure.record(), _now())


def test_a_person_of_a_certified_provider(relying_party: RelyingParty, certified: CertifiedUpstream) -> None:
    """V9: who it is, is the provider, its issuer and its `sub`."""
    identity = _sign_in(relying_party, certified, stores_tokens=True)

    assert (identity.provider_id, identity.issuer, identity.subject) == ("upstream", certified.issuer, "ada")
    assert identity.claims["name"] == "Ada King"
    assert (identity.email, identity.email_verified) == ("ada@upstream.example", True)
    assert (identity.acr, identity.amr) == ("urn:upstream:two", ("pwd", "otp"))
    assert identity.id_token is not None
    assert identity.tokens is not None
    assert identity.tokens.expires_at is not None


def test_an_address_that_is_not_verified_there_is_not_here(
    relying_party: RelyingParty, certified: CertifiedUpstream
) -> None:
    """V8: `email_verified` is false there."""
    identity = _sign_in(relying_party, certified, account="bob")

    assert (identity.email, identity.email_verified) == ("bob@upstream.example", False)


def test_a_pushed_request(relying_party: RelyingParty, certified: CertifiedUpstream) -> None:
    """RFC 9126: nothing of the request is in the address but its name."""
    provider = _provider(certified.issuer, certified.client, use_par=True)

    departure = relying_party.begin(provider, UpstreamWish(login_hint="ada"), _now())
    identity = relying_party.finish(
        provider, _answer(certified.log_in(departure.url)), departure.record(), _now()
    )

    assert set(dict(parse_qsl(urlsplit(departure.url).query))) == {"client_id", "request_uri"}
    assert identity.subject == "ada"


@pytest.mark.parametrize("wish", [UpstreamWish(prompt="login"), UpstreamWish(max_age=60)])
def test_a_fresh_sign_in_is_asked_for_and_proven(
    relying_party: RelyingParty, certified: CertifiedUpstream, wish: UpstreamWish
) -> None:
    """OpenID Connect Core §3.1.2.1: `auth_time` is there when an age was asked for, and is looked at."""
    before = _now()

    identity = _sign_in(relying_party, certified, wish=wish)

    assert identity.auth_time is not None
    assert abs(identity.auth_time - before).total_seconds() < 60


def test_somebody_who_says_no(relying_party: RelyingParty, certified: CertifiedUpstream) -> None:
    provider = _provider(certified.issuer, certified.client)
    departure = relying_party.begin(provider, UpstreamWish(), _now())
    answer = _answer(certified.cancel(departure.url))

    with pytest.raises(UpstreamDenied):
        relying_party.finish(provider, answer, departure.record(), _now())


def test_a_code_works_once(relying_party: RelyingParty, certified: CertifiedUpstream) -> None:
    provider = _provider(certified.issuer, certified.client)
    departure = relying_party.begin(provider, UpstreamWish(), _now())
    answer = _answer(certified.log_in(departure.url))
    relying_party.finish(provider, answer, departure.record(), _now())

    with pytest.raises(UpstreamRefused) as caught:
        relying_party.finish(provider, answer, departure.record(), _now())

    assert caught.value.detail == "code_refused"


def test_a_wrong_client_secret(relying_party: RelyingParty, certified: CertifiedUpstream) -> None:
    provider = _provider(certified.issuer, certified.client, secret=Secret("another"))
    departure = relying_party.begin(provider, UpstreamWish(), _now())
    answer = _answer(certified.log_in(departure.url))

    with pytest.raises(UpstreamRefused) as caught:
        relying_party.finish(provider, answer, departure.record(), _now())

    assert caught.value.detail == "client_refused"


def test_the_answer_to_another_request_does_not_count(
    relying_party: RelyingParty, certified: CertifiedUpstream
) -> None:
    """V9: a code that came out of another journey fails by its PKCE verifier."""
    provider = _provider(certified.issuer, certified.client)
    mine, theirs = (relying_party.begin(provider, UpstreamWish(), _now()) for _ in range(2))
    answer = _answer(certified.log_in(theirs.url))

    with pytest.raises(UpstreamRefused) as caught:
        relying_party.finish(provider, answer, mine.record(), _now())

    assert caught.value.detail == "code_refused"


def test_the_way_out(relying_party: RelyingParty, certified: CertifiedUpstream) -> None:
    """OpenID Connect RP-Initiated Logout §2."""
    provider = _provider(certified.issuer, certified.client)
    identity = _sign_in(relying_party, certified)

    url = relying_party.logout_url(
        provider, identity.id_token, post_logout_redirect_uri=f"{OURS}/signed-out", state="s"
    )

    assert url is not None
    assert url.startswith(f"{certified.issuer}/session/end?")
    assert dict(parse_qsl(urlsplit(url).query))["state"] == "s"


def test_a_session_that_ends_there(relying_party: RelyingParty) -> None:
    """K11: the certified provider's own logout token, after a sign-out there that we led to."""
    with running_stub() as ours:
        ours.says("/backchannel", {})
        client = {
            "backchannel_logout_uri": f"{ours.address}/backchannel",
            "backchannel_logout_session_required": True,
            "post_logout_redirect_uris": [f"{OURS}/logged-out"],
        }
        with CertifiedUpstream(CALLBACK, client=client) as upstream:
            provider, browser = _provider(upstream.issuer, upstream.client), upstream.browser()
            departure = relying_party.begin(provider, UpstreamWish(), _now())
            answer = _answer(upstream.log_in(departure.url, browser=browser))
            identity = relying_party.finish(provider, answer, departure.record(), _now())
            way_out = relying_party.logout_url(
                provider, identity.id_token, post_logout_redirect_uri=f"{OURS}/logged-out", state="bye"
            )

            page = upstream.log_out(way_out or "", browser)

            (posted,) = ours.requests_to("/backchannel")
            logout = relying_party.verify_logout_token(provider, posted.form["logout_token"], _now())
            id_token = identity.id_token
            assert id_token is not None
            with pytest.raises(UpstreamRefused):
                relying_party.verify_logout_token(provider, id_token.reveal(), _now())

    assert page.url == f"{OURS}/logged-out?state=bye"
    assert (logout.issuer, logout.subject) == (identity.issuer, identity.subject)
    assert logout.sid == identity.upstream_sid
    assert logout.sid is not None


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_a_private_key_instead_of_a_secret(relying_party: RelyingParty, alg: str) -> None:
    """The certified provider checks our assertion, at its PAR endpoint and at its token endpoint."""
    client = {
        "client_secret": None,
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": alg,
        "jwks": {"keys": [public(alg, "ours", alg=alg)]},
        "require_pushed_authorization_requests": True,
    }
    pem = key(alg, "ours").as_pem(private=True).decode()
    with CertifiedUpstream(CALLBACK, client=client) as upstream:
        identity = _sign_in(
            relying_party,
            upstream,
            auth_method="private_key_jwt",
            secret=Secret(pem),
            key_id=f"{alg}-ours",
            use_par=True,
        )

    assert identity.subject == "ada"


def test_a_provider_that_is_down(relying_party: RelyingParty) -> None:
    """X1: nobody waits longer than the egress allows, and the page can offer another way."""
    with CertifiedUpstream(CALLBACK) as upstream:
        provider = _provider(upstream.issuer, upstream.client)

    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(provider, UpstreamWish(), _now())

    assert caught.value.detail == "discovery_unreachable"


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_claims_in_the_id_token_need_no_userinfo(relying_party: RelyingParty, alg: str) -> None:
    client = {"id_token_signed_response_alg": alg}
    options = {"conformIdTokenClaims": False}
    with CertifiedUpstream(CALLBACK, client=client, options=options) as upstream:
        identity = _sign_in(relying_party, upstream, userinfo="never", id_token_algs=(alg,))

    assert identity.email == "ada@upstream.example"


def test_a_second_instance_of_ourselves(relying_party: RelyingParty, tmp_path: Path) -> None:
    own = OwnUpstream(tmp_path)
    own.idp("migrate")
    account = own.account("ada", "--email", "ada@example.com", "--email-verified")
    client = own.register(CALLBACK)
    own.start()
    try:
        provider = _provider(own.issuer, client)
        departure = relying_party.begin(provider, UpstreamWish(prompt="login"), _now())
        answer = _answer(own.log_in(departure.url))
        identity = relying_party.finish(provider, answer, departure.record(), _now())
    finally:
        own.stop()

    assert answer["iss"] == own.issuer
    assert identity.subject == account["id"]
    assert (identity.email, identity.email_verified) == ("ada@example.com", True)
    assert identity.amr == ("pwd",)
