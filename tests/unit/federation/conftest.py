"""Our side of a sign-in elsewhere, through the real egress, against a provider on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from idp.clock import FixedClock
from idp.crypto import Secret
from idp.federation import (
    DepartureRecord,
    Provider,
    ProviderKind,
    RelyingParty,
    UpstreamIdentity,
    UpstreamWish,
)
from idp.http import HttpClient
from idp.settings import HttpSettings
from tests.unit.federation.stub import CLIENT_ID, Stub, public, running_stub, sign

OURS = "https://idp.example"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as made:
        made.publish()
        yield made


@pytest.fixture
def http() -> HttpClient:
    return HttpClient(HttpSettings(allowed_private_hosts=("localhost",), timeout=2))


@pytest.fixture
def relying_party(http: HttpClient, clock: FixedClock) -> RelyingParty:
    return RelyingParty(http, issuer=OURS, clock=clock)


def make_provider(issuer: str | None, **members: Any) -> Provider:
    made = Provider(
        id="upstream",
        preset="oidc",
        kind=ProviderKind.OIDC,
        name="Upstream",
        client_id=CLIENT_ID,
        secret=Secret("our secret is long enough"),
        issuer=issuer,
        scopes=("openid", "profile", "email"),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(made, **members)


@pytest.fixture
def provider(stub: Stub) -> Provider:
    return make_provider(stub.issuer)


Journey = Callable[..., UpstreamIdentity]


@pytest.fixture
def journey(relying_party: RelyingParty, stub: Stub, now: datetime) -> Journey:
    """A whole sign-in; `claims` and `header` change the ID token, `token` the response it comes in."""

    def run(
        provider: Provider,
        *,
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
        answer: dict[str, str] | None = None,
        wish: UpstreamWish | None = None,
        token: dict[str, Any] | None = None,
        make: Callable[[dict[str, Any]], str | None] | None = None,
    ) -> UpstreamIdentity:
        departure = relying_party.begin(provider, wish or UpstreamWish(), now)
        said = stub.claims(departure.nonce.reveal(), now, **(claims or {}))
        stub.gives(make(said) if make else sign(said, **(header or {})), **(token or {}))
        record = DepartureRecord.from_payload(departure.record().payload())
        return relying_party.finish(provider, answer or {"code": "a-code"}, record, now)

    return run


__all__ = ["OURS", "Journey", "make_provider", "public"]
