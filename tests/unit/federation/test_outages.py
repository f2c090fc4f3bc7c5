"""X1: a provider that is down, slow, huge or elsewhere costs a little time and no more."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from idp.clock import FixedClock
from idp.federation import Provider, RelyingParty, UpstreamRefused, UpstreamUnavailable, UpstreamWish
from idp.federation.kept import Kept
from idp.http import HttpClient
from idp.settings import HttpSettings
from tests.unit.federation.conftest import OURS, Journey, make_provider
from tests.unit.federation.stub import Stub, public


@pytest.fixture
def http() -> HttpClient:
    """One that is quickly out of patience."""
    return HttpClient(HttpSettings(allowed_private_hosts=("localhost",), timeout=0.4, max_bytes=65536))


HTML = {"Content-Type": "text/html"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "slow": ({"body": {}, "slow": True}, "unreachable"),
    "huge": ({"body": b"{", "endless": True}, "unreachable"),
    "redirect to a private address": (
        {"body": b"", "status": 302, "headers": {"Location": "http://127.0.0.1:6379/"}},
        "unreachable",
    ),
    "redirect to itself": ({"body": b"", "status": 307, "headers": {"Location": "/"}}, "unreachable"),
    "HTML": ({"body": b"<!doctype html>", "headers": HTML}, "not_json"),
    "HTML, 503": ({"body": b"<!doctype html>", "status": 503, "headers": HTML}, "status_503"),
    "nothing": ({"body": b""}, "not_json"),
    "list": ({"body": []}, "not_json"),
    "deep": ({"body": b"[" * 60_000}, "not_json"),
    "not UTF-8": ({"body": b'{"issuer": "\xff"}'}, "not_json"),
}
PLACES = {"discovery": "/.well-known/openid-configuration", "jwks": "/jwks", "userinfo": "/userinfo"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
def test_an_answer_of_no_use(
    journey: Journey, provider: Provider, stub: Stub, place: str, wrong: dict[str, Any], reason: str
) -> None:
    """X1: wherever it happens, and within the time that is configured."""
    stub.says(PLACES[place], **wrong)
    started = time.monotonic()

    with pytest.raises(UpstreamUnavailable) as caught:
        journey(provider, claims={"email": None, "email_verified": None})

    assert caught.value.detail == f"{place}_{reason}"
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["slow", "huge", "redirect to a private address"])
def test_a_token_endpoint_of_no_use(
    relying_party: RelyingParty, provider: Provider, stub: Stub, now: datetime, name: str
) -> None:
    """X1: the code and our secret follow no redirect."""
    stub.says("/token", **WRONG[name][0])
    departure = relying_party.begin(provider, UpstreamWish(), now)

    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.finish(provider, {"code": "a-code"}, departure.record(), now)

    assert caught.value.detail == "token_endpoint_unreachable"


def test_nobody_listens(relying_party: RelyingParty, now: datetime) -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(make_provider("http://localhost:9"), UpstreamWish(), now)

    assert caught.value.detail == "discovery_unreachable"


@pytest.mark.parametrize(
    "issuer", ["http://upstream.example", "https://127.0.0.1", "https://169.254.169.254", "ftp://x"]
)
def test_an_address_that_must_not_be_asked(clock: FixedClock, now: datetime, issuer: str) -> None:
    """X1: private and plain addresses only where the operator's settings name the host."""
    # Longer than a busy machine lets a thread wait for its turn: what is refused is refused at once.
    relying_party = RelyingParty(HttpClient(HttpSettings(timeout=10)), issuer=OURS, clock=clock)
    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(make_provider(issuer), UpstreamWish(), now)

    assert caught.value.detail == "discovery_address_refused"


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_metadata_that_lead_to_a_private_address(
    journey: Journey, provider: Provider, stub: Stub, name: str
) -> None:
    """X1: the provider names its endpoints, so they are checked like everything else."""
    stub.publish(**{name: "http://127.0.0.1:1/latest"})

    with pytest.raises(UpstreamUnavailable) as caught:
        journey(provider, claims={"email": None})

    assert caught.value.detail.endswith("_address_refused")


MALFORMED = {
    "issuer of another": ({"issuer": "https://other.example"}, "discovery_issuer_mismatch"),
    "issuer with a slash": ({"issuer": "{issuer}/"}, "discovery_issuer_mismatch"),
    "issuer missing": ({"issuer": None}, "discovery_issuer_mismatch"),
    "script": ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint_malformed"),
    "credentials": ({"authorization_endpoint": "https://a:b@x.example/"}, "authorization_endpoint_malformed"),
    "fragment": ({"authorization_endpoint": "https://x.example/#a"}, "authorization_endpoint_malformed"),
    "list": ({"token_endpoint": ["https://x.example"]}, "token_endpoint_malformed"),
    "line break": ({"end_session_endpoint": "https://x.example/\r\nX: y"}, "end_session_endpoint_malformed"),
    "bracket": ({"jwks_uri": "https://[::1"}, "jwks_uri_malformed"),
    "no token endpoint": ({"token_endpoint": None}, "endpoints_missing"),
}


@pytest.mark.parametrize(("members", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_metadata_of_no_use(
    relying_party: RelyingParty,
    provider: Provider,
    stub: Stub,
    now: datetime,
    members: dict[str, Any],
    reason: str,
) -> None:
    """OpenID Connect Discovery §4.3: the issuer must be exactly the one that was asked for."""
    given = {
        name: value.format(issuer=stub.issuer) if isinstance(value, str) else value
        for name, value in members.items()
    }
    stub.publish(**given)

    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(provider, UpstreamWish(), now)

    assert caught.value.detail == reason


def test_a_provider_on_https_cannot_lead_to_plain_http(
    relying_party: RelyingParty, stub: Stub, now: datetime
) -> None:
    """Its people would type their passwords in the clear."""
    stub.says("/metadata", {**stub.metadata(), "issuer": "https://upstream.example"})
    provider = make_provider("https://upstream.example", discovery_url=f"{stub.address}/metadata")

    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(provider, UpstreamWish(), now)

    assert caught.value.detail == "authorization_endpoint_malformed"


def test_endpoints_by_hand(relying_party: RelyingParty, journey: Journey, stub: Stub) -> None:
    """Without discovery, and a single one that the operator knows better."""
    by_hand = make_provider(
        stub.issuer,
        discovery=False,
        authorization_endpoint=f"{stub.address}/authorize",
        token_endpoint=f"{stub.address}/token",
        jwks_uri=f"{stub.address}/jwks",
    )
    corrected = make_provider(stub.issuer, userinfo_endpoint=f"{stub.address}/me")

    assert journey(by_hand).subject == "ada"
    assert not stub.requests_to("/.well-known/openid-configuration")
    assert relying_party.endpoints(corrected).userinfo_endpoint == f"{stub.address}/me"
    assert relying_party.endpoints(corrected).authorization_origins == (stub.address,)


def test_metadata_are_kept(
    relying_party: RelyingParty, provider: Provider, stub: Stub, now: datetime, clock: FixedClock
) -> None:
    """For an hour; longer while the provider is down, and then it is not asked more than once a minute."""
    path = "/.well-known/openid-configuration"

    def begin() -> int:
        relying_party.begin(provider, UpstreamWish(), now)
        return len(stub.requests_to(path))

    assert (begin(), begin()) == (1, 1)
    clock.advance(timedelta(minutes=61))
    assert (begin(), begin()) == (2, 2)
    stub.says(path, b"", 503)
    clock.advance(timedelta(minutes=61))
    assert (begin(), begin()) == (3, 3)
    clock.advance(timedelta(minutes=2))
    assert (begin(), begin()) == (4, 4)
    stub.publish()
    clock.advance(timedelta(minutes=2))
    assert (begin(), begin()) == (5, 5)


def test_changed_addresses_are_not_kept(
    relying_party: RelyingParty, provider: Provider, stub: Stub, now: datetime
) -> None:
    relying_party.begin(provider, UpstreamWish(), now)
    stub.says("/elsewhere", stub.metadata(authorization_endpoint=f"{stub.address}/new"))

    departure = relying_party.begin(
        replace(provider, discovery_url=f"{stub.address}/elsewhere"), UpstreamWish(), now
    )

    assert departure.url.startswith(f"{stub.address}/new?")


def test_new_keys(journey: Journey, provider: Provider, stub: Stub, clock: FixedClock) -> None:
    """An unknown `kid` makes us ask again, once a minute; guessing names does not make us a nuisance."""

    def sign_in(name: str) -> bool:
        try:
            journey(provider, header={"name": name})
        except UpstreamRefused as error:
            assert error.detail == "key_unknown"  # noqa: PT017 - both ends are expected
            return False
        return True

    assert sign_in("one")
    stub.publish(public(), public("RS256", "two"))
    assert sign_in("two")
    assert len(stub.requests_to("/jwks")) == 2
    stub.publish(public("RS256", "three"))
    assert [sign_in("three") for _ in range(5)] == [False] * 5
    assert len(stub.requests_to("/jwks")) == 2
    clock.advance(timedelta(seconds=61))
    assert sign_in("three")
    assert not sign_in("one")
    assert len(stub.requests_to("/jwks")) == 3


def test_keys_are_kept_while_the_provider_is_down(
    journey: Journey, provider: Provider, stub: Stub, clock: FixedClock
) -> None:
    journey(provider)
    stub.says("/jwks", b"", 503)
    clock.advance(timedelta(hours=2))

    assert journey(provider).subject == "ada"
    with pytest.raises(UpstreamRefused):
        journey(provider, header={"name": "two"})
    assert journey(provider).subject == "ada"


def test_no_keys_at_all(journey: Journey, provider: Provider, stub: Stub) -> None:
    stub.publish(jwks_uri=None)
    with pytest.raises(UpstreamUnavailable) as caught:
        journey(provider)
    assert caught.value.detail == "jwks_uri_missing"

    stub.says("/jwks", {"keys": "none"})
    with pytest.raises(UpstreamUnavailable) as caught:
        journey(replace(provider, id="other", jwks_uri=f"{stub.address}/jwks"))
    assert caught.value.detail == "jwks_malformed"


def test_many_wait_for_one(clock: FixedClock) -> None:
    """A slow provider is asked by one thread; the others share its answer or its failure."""
    calls: list[int] = []
    entered, go = threading.Event(), threading.Event()

    def slowly(end: Callable[[], str]) -> Callable[[], str]:
        def fetch() -> str:
            calls.append(1)
            entered.set()
            go.wait(5)
            return end()

        return fetch

    def fail() -> str:
        raise UpstreamUnavailable("discovery_unreachable")

    for end, expected in ((lambda: "value", "value"), (fail, "discovery_unreachable")):
        calls.clear()
        entered.clear()
        go.clear()
        kept, results = Kept(slowly(end), clock), []

        def ask(kept: Kept[str] = kept, results: list[str] = results) -> None:
            try:
                results.append(kept.get())
            except UpstreamUnavailable as error:
                results.append(error.detail)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert entered.wait(5)
        while sum(thread.is_alive() for thread in threads) < 8:
            pass
        go.set()
        for thread in threads:
            thread.join(5)

        assert results == [expected] * 8
        assert 1 <= len(calls) <= 8


def test_nothing_secret_is_said(
    relying_party: RelyingParty,
    provider: Provider,
    stub: Stub,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """X10: neither in errors nor in logs, whatever the provider answers."""
    caplog.set_level("DEBUG")
    words = "a-code person@x.example"
    hidden = ["our secret is long enough", "a-code", "person@x.example"]
    departure = relying_party.begin(provider, UpstreamWish(), now)

    for body in ({"error": "invalid_grant", "error_description": words}, {"error": words}, words.encode()):
        stub.says("/token", body, 400)
        with pytest.raises((UpstreamRefused, UpstreamUnavailable)) as caught:
            relying_party.finish(provider, {"code": "a-code"}, departure.record(), now)
        trace = "".join(traceback.format_exception(caught.value))
        said = f"{caught.value.detail} {caught.value.description} {trace} {caplog.text}"
        assert not [word for word in hidden if word in said.replace('{"code": "a-code"}', "")]
