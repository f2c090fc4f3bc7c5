"""What comes back from a provider: parameters of the callback, token response, userinfo."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.crypto import Secret
from idp.federation import (
    Provider,
    ProviderKind,
    RelyingParty,
    UpstreamDenied,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamWish,
)
from tests.unit.federation.conftest import OURS, Journey, make_provider
from tests.unit.federation.stub import ACCESS_TOKEN, CLIENT_ID, Reply, Stub, public


def _query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_the_way_there(relying_party: RelyingParty, provider: Provider, stub: Stub, now: datetime) -> None:
    """RFC 7636 §4.3, OpenID Connect Core §3.1.2.1."""
    departure = relying_party.begin(provider, UpstreamWish(), now)
    again = relying_party.begin(provider, UpstreamWish(), now)

    asked = _query(departure.url)
    assert departure.url.startswith(f"{stub.issuer}/authorize?")
    assert asked.keys() == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce",
        "code_challenge", "code_challenge_method",
    }  # fmt: skip
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == departure.redirect_uri == f"{OURS}/federation/upstream/callback"
    assert asked["scope"] == "openid profile email"
    assert asked["state"] == departure.state.reveal()
    assert asked["nonce"] == departure.nonce.reveal()
    assert asked["code_challenge_method"] == "S256"
    assert departure.state.reveal() != again.state.reveal()
    assert departure.nonce.reveal() != again.nonce.reveal()
    assert departure.code_verifier.reveal() not in departure.url
    for secret in (departure.state, departure.nonce, departure.code_verifier):
        assert secret.reveal() not in repr(departure)


def test_wishes_are_passed_on(relying_party: RelyingParty, provider: Provider, now: datetime) -> None:
    wish = UpstreamWish(
        prompt="select_account",
        max_age=60,
        login_hint="ada@x",
        ui_locales=("de", "en"),
        acr_values=("2", "1"),
    )

    able = replace(provider, wishes=(*provider.wishes, "select_account"))

    asked = _query(relying_party.begin(able, wish, now).url)
    unable = _query(relying_party.begin(replace(provider, wishes=()), wish, now).url)

    assert asked["prompt"] == "select_account"
    assert (asked["max_age"], asked["login_hint"]) == ("60", "ada@x")
    assert (asked["ui_locales"], asked["acr_values"]) == ("de en", "2 1")
    assert not unable.keys() & {"prompt", "max_age", "login_hint", "ui_locales", "acr_values"}


def test_a_fresh_login_asks_when_it_was(
    relying_party: RelyingParty, provider: Provider, now: datetime
) -> None:
    """OpenID Connect Core §2: `auth_time` is required only when `max_age` was asked for."""
    asked = _query(relying_party.begin(provider, UpstreamWish(prompt="login"), now).url)

    assert (asked["prompt"], asked["max_age"]) == ("login", "0")


def test_parameters_of_the_operator(relying_party: RelyingParty, provider: Provider, now: datetime) -> None:
    """They replace nothing that protects the journey."""
    given = {
        "hd": "example.com",
        "prompt": "consent",
        "state": "fixed",
        "redirect_uri": "https://evil.example",
    }
    configured = replace(provider, authorization_params=given, response_mode="form_post")

    departure = relying_party.begin(configured, UpstreamWish(), now)
    wished = _query(relying_party.begin(configured, UpstreamWish(prompt="login"), now).url)

    asked = _query(departure.url)
    assert (asked["hd"], asked["prompt"], asked["response_mode"]) == ("example.com", "consent", "form_post")
    assert asked["state"] == departure.state.reveal()
    assert asked["redirect_uri"] == departure.redirect_uri
    assert wished["prompt"] == "login"


def test_the_exchange_of_the_code(journey: Journey, provider: Provider, stub: Stub) -> None:
    """RFC 6749 §4.1.3, RFC 7636 §4.5; the credentials of one provider stay with it."""
    journey(provider)

    (asked,) = stub.requests_to("/token")
    assert asked.form["grant_type"] == "authorization_code"
    assert asked.form["code"] == "a-code"
    assert asked.form["redirect_uri"] == f"{OURS}/federation/upstream/callback"
    assert len(asked.form["code_verifier"]) == 64
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"

    journey(replace(provider, auth_method="none", secret=None))

    assert "authorization" not in stub.requests_to("/token")[1].headers


def test_a_provider_that_refuses_pkce(
    journey: Journey, relying_party: RelyingParty, provider: Provider, stub: Stub, now: datetime
) -> None:
    """LinkedIn answers a verifier with `invalid_client`."""
    without = replace(provider, pkce=False)

    journey(without)

    assert "code_verifier" not in stub.requests_to("/token")[0].form
    assert "code_challenge" not in relying_party.begin(without, UpstreamWish(), now).url


MIX_UP = {
    "other": ({"iss": "https://other.example"}, "answer_issuer_mismatch"),
    "empty": ({"iss": ""}, "answer_issuer_mismatch"),
    "longer": ({"iss": "{issuer}/"}, "answer_issuer_mismatch"),
}


@pytest.mark.parametrize(("answer", "reason"), MIX_UP.values(), ids=MIX_UP)
def test_an_answer_of_another_provider(
    journey: Journey, provider: Provider, stub: Stub, answer: dict[str, str], reason: str
) -> None:
    """V9, RFC 9207 §2.4: mix-up; the code is not even sent."""
    given = {"code": "a-code", **{name: text.format(issuer=stub.issuer) for name, text in answer.items()}}

    with pytest.raises(UpstreamRefused) as caught:
        journey(provider, answer=given)

    assert caught.value.detail == reason
    assert not stub.requests_to("/token")


@pytest.mark.parametrize("answer", [{"code": "a-code"}, {"error": "access_denied"}], ids=str)
def test_a_promised_issuer_must_be_there(
    journey: Journey, provider: Provider, stub: Stub, answer: dict[str, str]
) -> None:
    """V9, RFC 9207 §2.4: also in an error."""
    stub.publish(authorization_response_iss_parameter_supported=True)

    with pytest.raises(UpstreamRefused) as caught:
        journey(provider, answer=answer)

    assert caught.value.detail == "answer_issuer_missing"
    assert journey(provider, answer={"code": "a-code", "iss": stub.issuer}).subject == "ada"


ERRORS = {
    "access_denied": (UpstreamDenied, "access_denied"),
    "user_cancelled_login": (UpstreamDenied, "access_denied"),
    "user_cancelled_authorize": (UpstreamDenied, "access_denied"),
    "invalid_scope": (UpstreamRefused, "provider_invalid_scope"),
    "login_required": (UpstreamRefused, "provider_login_required"),
    "<script>": (UpstreamRefused, "provider_error"),
    "x" * 5000: (UpstreamRefused, "provider_error"),
    "temporarily_unavailable": (UpstreamUnavailable, "provider_temporarily_unavailable"),
    "server_error": (UpstreamUnavailable, "provider_server_error"),
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error[:30])
def test_an_error_instead_of_a_code(journey: Journey, provider: Provider, error: str) -> None:
    """Nothing of the provider's words reaches the page."""
    kind, reason = ERRORS[error]

    with pytest.raises((UpstreamRefused, UpstreamUnavailable)) as caught:
        journey(provider, answer={"error": error, "error_description": "call 555-1234", "code": "a-code"})

    assert type(caught.value) is kind
    assert caught.value.detail == reason
    assert error not in caught.value.description
    assert "555" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [{"state": "s"}, {"code": ""}, {"code": "c" * 5000}], ids=lambda a: str(a)[:20]
)
def test_no_code(journey: Journey, provider: Provider, answer: dict[str, str]) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        journey(provider, answer=answer)

    assert caught.value.detail == "code_missing"


REFUSALS = {
    "invalid_grant": ({"error": "invalid_grant", "error_description": "no"}, 400, "code_refused"),
    "invalid_client": ({"error": "invalid_client"}, 401, "client_refused"),
    "GitHub": ({"error": "bad_verification_code", "error_uri": "https://x.example"}, 200, "code_refused"),
    "Slack": ({"ok": False, "error": "invalid_code"}, 200, "code_refused"),
    "Facebook": ({"error": {"message": "This code has expired.", "code": 100}}, 400, "token_endpoint_error"),
    "unknown": ({"error": "our_own_word"}, 400, "token_endpoint_error"),
    "null": ({"error": None}, 400, "token_endpoint_error"),
}


@pytest.mark.parametrize(("body", "status", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_the_token_endpoint_says_no(
    relying_party: RelyingParty,
    provider: Provider,
    stub: Stub,
    now: datetime,
    body: dict[str, Any],
    status: int,
    reason: str,
) -> None:
    """V9: a code that was issued to somebody else, or twice, ends here."""
    stub.says("/token", body, status)
    departure = relying_party.begin(provider, UpstreamWish(), now)

    with pytest.raises(UpstreamRefused) as caught:
        relying_party.finish(provider, {"code": "a-code"}, departure.record(), now)

    assert caught.value.detail == reason


def test_a_code_of_another_provider(relying_party: RelyingParty, stub: Stub, now: datetime) -> None:
    """V9: each provider is asked with its own redirect address and credentials, and knows its own codes."""

    def exchange(asked: Any) -> Reply:
        fits = (
            asked.form["redirect_uri"].endswith("/second/callback") and asked.form["client_id"] == "at-second"
        )
        return Reply(
            {"access_token": "t", "token_type": "Bearer"} if fits else {"error": "invalid_grant"}, 200
        )

    stub.replies["/token"] = exchange
    first = make_provider(stub.issuer, id="first", client_id="at-first", auth_method="client_secret_post")
    departure = relying_party.begin(first, UpstreamWish(), now)

    with pytest.raises(UpstreamRefused) as caught:
        relying_party.finish(first, {"code": "issued-for-second"}, departure.record(), now)

    assert caught.value.detail == "code_refused"


UNUSABLE = {
    "list": ([], 200, "token_answer_unusable"),
    "html": (b"<!doctype html><title>Down</title>", 200, "token_answer_unusable"),
    "html, 502": (b"<html>", 502, "token_endpoint_status_502"),
    "html, 404": (b"<html>", 404, "token_endpoint_status_404"),
    "no access token": ({"token_type": "Bearer"}, 200, "token_answer_unusable"),
    "number": ({"access_token": 7, "token_type": "Bearer"}, 200, "token_answer_unusable"),
    "line break": ({"access_token": "a\r\nX: b", "token_type": "Bearer"}, 200, "token_answer_unusable"),
    "not ASCII": ({"access_token": "ü", "token_type": "Bearer"}, 200, "token_answer_unusable"),
    "huge": ({"access_token": "a" * 20_000, "token_type": "Bearer"}, 200, "token_answer_unusable"),
    "life": (
        {"access_token": "a", "token_type": "Bearer", "expires_in": "soon"},
        200,
        "token_answer_unusable",
    ),
    "life list": (
        {"access_token": "a", "token_type": "Bearer", "expires_in": [1]},
        200,
        "token_answer_unusable",
    ),
    "end list": (
        {"access_token": "a", "token_type": "Bearer", "expires_at": [1]},
        200,
        "token_answer_unusable",
    ),
    "mac": ({"access_token": "a", "token_type": "mac"}, 200, "token_type_unknown"),
    "type null": ({"access_token": "a", "token_type": None}, 200, "token_type_unknown"),
}


@pytest.mark.parametrize(("body", "status", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_token_response_of_no_use(
    relying_party: RelyingParty,
    provider: Provider,
    stub: Stub,
    now: datetime,
    body: Any,
    status: int,
    reason: str,
) -> None:
    stub.says("/token", body, status)
    departure = relying_party.begin(provider, UpstreamWish(), now)

    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.finish(provider, {"code": "a-code"}, departure.record(), now)

    assert caught.value.detail == reason


WITHOUT = {"email": None, "email_verified": None, "name": None}


def test_userinfo_fills_in(journey: Journey, provider: Provider, stub: Stub) -> None:
    """OpenID Connect Core §5.3; what the ID token says wins."""
    stub.says(
        "/userinfo", {"sub": "ada", "email": "a@x.example", "email_verified": True, "name": "Ada", "acr": "9"}
    )

    identity = journey(provider, claims={**WITHOUT, "name": "Ada King"})

    assert identity.claims == {"name": "Ada King"}
    assert (identity.email, identity.email_verified) == ("a@x.example", True)
    assert identity.acr is None
    assert stub.requests_to("/userinfo")[0].headers["authorization"] == f"Bearer {ACCESS_TOKEN}"


@pytest.mark.parametrize("sub", ["eve", "", None, 7, ["ada"], "Ada"])
def test_userinfo_about_somebody_else(journey: Journey, provider: Provider, stub: Stub, sub: Any) -> None:
    """V9, OpenID Connect Core §5.3.2: the subjects must be the same."""
    stub.says("/userinfo", {"sub": sub, "email": "eve@x.example", "email_verified": True})

    with pytest.raises(UpstreamRefused) as caught:
        journey(provider, claims=WITHOUT)

    assert caught.value.detail == "userinfo_subject_mismatch"


@pytest.mark.parametrize(
    ("signed", "told"),
    [
        ({"email": "a@x.example", "email_verified": None}, {"email": "b@x.example", "email_verified": True}),
        ({"email": None, "email_verified": True}, {"email": "b@x.example"}),
    ],
    ids=["address signed", "address told"],
)
def test_an_address_and_the_word_about_it_stay_together(
    journey: Journey, provider: Provider, stub: Stub, signed: dict[str, Any], told: dict[str, Any]
) -> None:
    """V8: one address must not become verified by a word about another."""
    stub.says("/userinfo", {"sub": "ada", **told})

    identity = journey(replace(provider, userinfo="always"), claims=signed)

    assert identity.email == (signed["email"] or told["email"])
    assert not identity.email_verified


@pytest.mark.parametrize(("rule", "asks"), [("never", 0), ("auto", 1), ("always", 1)])
def test_when_userinfo_is_asked(
    journey: Journey, provider: Provider, stub: Stub, rule: str, asks: int
) -> None:
    stub.says("/userinfo", {"sub": "ada"})

    journey(replace(provider, userinfo=rule), claims=WITHOUT)

    assert len(stub.requests_to("/userinfo")) == asks


@pytest.mark.parametrize("status", [401, 403])
def test_userinfo_refused(journey: Journey, provider: Provider, stub: Stub, status: int) -> None:
    stub.says("/userinfo", {"error": "invalid_token"}, status)

    with pytest.raises(UpstreamRefused) as caught:
        journey(provider, claims=WITHOUT)

    assert caught.value.detail == "userinfo_refused"


@pytest.mark.parametrize(("body", "status"), [(b"eyJ.e30.AA", 200), ([], 200), ({}, 500)])
def test_userinfo_of_no_use(journey: Journey, provider: Provider, stub: Stub, body: Any, status: int) -> None:
    stub.says("/userinfo", body, status)

    with pytest.raises(UpstreamUnavailable):
        journey(provider, claims=WITHOUT)


def test_tokens_are_kept_only_when_asked_for(journey: Journey, provider: Provider, now: datetime) -> None:
    token = {"refresh_token": "r", "scope": "openid email"}

    kept = journey(replace(provider, stores_tokens=True), token=token).tokens

    assert journey(provider, token=token).tokens is None
    assert kept is not None
    assert kept.access_token.reveal() == ACCESS_TOKEN
    assert kept.refresh_token is not None
    assert kept.refresh_token.reveal() == "r"
    assert kept.scope == "openid email"
    assert kept.expires_at == now + timedelta(seconds=300)
    assert ACCESS_TOKEN not in repr(kept)


@pytest.mark.parametrize("life", [None, 0, -5, 10**15])
def test_a_token_that_does_not_say_when_it_ends(journey: Journey, provider: Provider, life: Any) -> None:
    kept = journey(replace(provider, stores_tokens=True), token={"expires_in": life}).tokens

    assert kept is not None
    assert kept.expires_at is None


def test_a_pushed_request(relying_party: RelyingParty, provider: Provider, stub: Stub, now: datetime) -> None:
    """RFC 9126 §2: because the metadata requires it, with our credentials."""
    stub.publish(
        require_pushed_authorization_requests=True,
        pushed_authorization_request_endpoint=f"{stub.address}/par",
    )
    stub.says("/par", {"request_uri": "urn:ietf:params:oauth:request_uri:abc", "expires_in": 60}, 201)

    departure = relying_party.begin(provider, UpstreamWish(login_hint="ada & co"), now)

    (pushed,) = stub.requests_to("/par")
    assert _query(departure.url) == {
        "client_id": CLIENT_ID,
        "request_uri": "urn:ietf:params:oauth:request_uri:abc",
    }
    assert pushed.form["state"] == departure.state.reveal()
    assert pushed.form["nonce"] == departure.nonce.reveal()
    assert pushed.form["login_hint"] == "ada & co"
    assert pushed.form["code_challenge_method"] == "S256"
    assert pushed.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_nothing_comes_twice(
    relying_party: RelyingParty, journey: Journey, provider: Provider, stub: Stub, now: datetime, method: str
) -> None:
    """RFC 6749 §3.1, §3.2: no parameter more than once; a pushed request holds `client_id` already."""
    stub.says("/par", {"request_uri": "urn:x", "expires_in": 60}, 201)
    pushing = replace(provider, use_par=True, par_endpoint=f"{stub.address}/par", auth_method=method)

    journey(pushing)

    (pushed,), (exchanged,) = stub.requests_to("/par"), stub.requests_to("/token")
    assert (pushed.repeated, exchanged.repeated) == ([], [])
    assert pushed.form["client_id"] == CLIENT_ID


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"error": "invalid_request"}, 400, "par_endpoint_status_400"),
        ({"expires_in": 60}, 201, "par_endpoint_unusable"),
        (b"<html>", 200, "par_endpoint_not_json"),
    ],
)
def test_a_request_that_cannot_be_pushed(
    relying_party: RelyingParty,
    provider: Provider,
    stub: Stub,
    now: datetime,
    body: Any,
    status: int,
    reason: str,
) -> None:
    stub.says("/par", body, status)
    pushing = replace(provider, use_par=True, par_endpoint=f"{stub.address}/par")

    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(pushing, UpstreamWish(), now)

    assert caught.value.detail == reason


def test_pushing_needs_an_endpoint(relying_party: RelyingParty, provider: Provider, now: datetime) -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(replace(provider, use_par=True), UpstreamWish(), now)

    assert caught.value.detail == "par_endpoint_missing"


def _oauth2(stub: Stub, **members: Any) -> Provider:
    return make_provider(
        "https://oauth2.example",
        kind=ProviderKind.OAUTH2,
        discovery=False,
        authorization_endpoint=f"{stub.address}/authorize",
        token_endpoint=f"{stub.address}/token",
        userinfo_endpoint=f"{stub.address}/user",
        scopes=("identify",),
        **{"claims": {"sub": "id"}, **members},
    )


def test_a_provider_without_id_tokens(
    relying_party: RelyingParty, journey: Journey, stub: Stub, now: datetime
) -> None:
    """V9: its issuer is a fixed name; no nonce is sent, because nothing would carry it; PKCE is."""
    stub.says("/user", {"id": "u-1", "name": "Ada"})
    provider = _oauth2(stub)

    identity = journey(provider)

    asked = _query(relying_party.begin(provider, UpstreamWish(), now).url)
    assert "nonce" not in asked
    assert asked["code_challenge_method"] == "S256"
    assert (identity.issuer, identity.subject) == ("https://oauth2.example", "u-1")
    assert identity.id_token is None
    assert (identity.acr, identity.amr, identity.auth_time) == (None, (), None)
    with pytest.raises(UpstreamRefused):
        journey(provider, answer={"code": "c", "iss": "https://other.example"})


def test_without_id_tokens_no_fresh_sign_in_is_proven(journey: Journey, stub: Stub) -> None:
    stub.says("/user", {"id": "u-1", "auth_time": 4102444800})

    with pytest.raises(UpstreamRefused) as caught:
        journey(_oauth2(stub), wish=UpstreamWish(prompt="login"))

    assert caught.value.detail == "auth_time_missing"


def test_an_entra_tenant(journey: Journey, stub: Stub) -> None:
    """V9: the issuer of the identity is the tenant's; a key of one tenant proves nothing of another."""
    tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
    template = f"{stub.address}/{{tenantid}}/v2.0"
    mine = f"{stub.address}/{tenant}/v2.0"
    stub.publish(issuer=template)
    address = f"{stub.address}/.well-known/openid-configuration"
    provider = make_provider(template, discovery_url=address)

    def reason(**given: Any) -> str:
        with pytest.raises(UpstreamRefused) as caught:
            journey(given.pop("provider", provider), **given)
        return caught.value.detail

    assert journey(provider, claims={"iss": mine, "tid": tenant}).issuer == mine
    assert (
        journey(provider, claims={"iss": mine, "tid": tenant}, answer={"code": "c", "iss": mine}).issuer
        == mine
    )
    assert reason(claims={"iss": template, "tid": tenant}) == "issuer_mismatch"
    assert reason(claims={"iss": mine, "tid": other}) == "issuer_mismatch"
    assert reason(claims={"iss": mine}) == "tenant_not_allowed"
    assert reason(claims={"iss": f"{stub.address}/../v2.0", "tid": ".."}) == "tenant_not_allowed"
    limited = replace(provider, allowed_tenants=(other,))
    assert reason(provider=limited, claims={"iss": mine, "tid": tenant}) == "tenant_not_allowed"
    theirs = {"code": "c", "iss": f"{stub.address}/{other}/v2.0"}
    assert reason(claims={"iss": mine, "tid": tenant}, answer=theirs) == "answer_issuer_mismatch"


def test_keys_of_one_tenant(journey: Journey, stub: Stub) -> None:
    """V9: Entra's key sets say for whom each key signs."""
    tenant = "11111111-2222-3333-4444-555555555555"
    template = f"{stub.address}/{{tenantid}}/v2.0"
    claims = {"iss": f"{stub.address}/{tenant}/v2.0", "tid": tenant}
    provider = make_provider(template, discovery_url=f"{stub.address}/.well-known/openid-configuration")

    stub.publish(public(issuer=template), issuer=template)
    assert journey(provider, claims=claims).subject == "ada"

    stub.publish(public(issuer=f"{stub.address}/99999999-2222-3333-4444-555555555555/v2.0"), issuer=template)
    with pytest.raises(UpstreamRefused) as caught:
        journey(replace(provider, id="other"), claims=claims)
    assert caught.value.detail == "key_of_other_issuer"


def test_the_way_out(relying_party: RelyingParty, provider: Provider, stub: Stub) -> None:
    """OpenID Connect RP-Initiated Logout §2."""
    back = f"{OURS}/signed-out"

    url = relying_party.logout_url(
        provider, Secret("raw.id.token"), post_logout_redirect_uri=back, state="s&1"
    )
    bare = relying_party.logout_url(provider, None, post_logout_redirect_uri=back, state="s")

    assert url is not None
    assert bare is not None
    assert url.startswith(f"{stub.issuer}/logout?")
    assert _query(url) == {
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": back,
        "state": "s&1",
        "id_token_hint": "raw.id.token",
    }
    assert "id_token_hint" not in _query(bare)


def test_no_way_out(relying_party: RelyingParty, stub: Stub) -> None:
    stub.publish(end_session_endpoint=None)
    silent = make_provider("http://localhost:9", id="silent")

    for provider in (make_provider(stub.issuer), silent):
        assert (
            relying_party.logout_url(provider, None, post_logout_redirect_uri="https://x.example", state="s")
            is None
        )


def test_the_page_says_the_same_whatever_failed(journey: Journey, provider: Provider) -> None:
    """The reasons differ, the page's words do not: nobody learns from it which check failed."""
    said = set()
    for claims in ({"nonce": "x"}, {"aud": "x"}, {"sub": ""}):
        with pytest.raises(UpstreamRefused) as caught:
            journey(provider, claims=claims)
        said.add(caught.value.description)

    assert len(said) == 1
