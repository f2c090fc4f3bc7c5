"""A served deployment with a large population, what is asked of it, and what one slice of that costs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bench.load import Load, drive
from bench.seed import CALLBACK, SCOPES, Credentials, Population, fill
from bench.servers import LOAD_CORE, IdpServer
from bench.slices import Slice
from bench.stores import Store
from bench.wire import basic, get, post, send
from idp.cli.context import opened
from idp.cli.serve import prepare
from idp.container import Container

REQUESTS: Final = 10_000
"""Different ones in a slice, so that as many different rows are touched."""

_STRIDE: Final = 611_953
"""A prime: steps of it go through all numbers of a population in an order that no cache likes."""
_CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running server, and its deployment in this process."""

    server: IdpServer
    store: Store
    container: Container
    population: Population
    credentials: Credentials

    def people(self, begin: int, count: int) -> Iterator[int]:
        """Numbers of accounts, the same for the same arguments, spread over all of them."""
        return ((begin + step) * _STRIDE % self.population.accounts for step in range(count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of request."""

    title: str
    status: int
    make: Callable[[Site, int], bytes]
    """The request of the person, or the client, with this number."""


def _client(site: Site, number: int) -> str:
    return basic(site.credentials.client_id(number), site.credentials.client_secret(number))


def _for_machine(site: Site, number: int) -> bytes:
    return post(
        site.server.port,
        "/token",
        {"grant_type": "client_credentials", "scope": "jobs:run"},
        Authorization=_client(site, number),
    )


def _refresh(site: Site, number: int) -> bytes:
    form = {"grant_type": "refresh_token", "refresh_token": site.credentials.refresh_token(number)}
    return post(site.server.port, "/token", form, Authorization=_client(site, number))


def _introspect(site: Site, number: int) -> bytes:
    form = {"token": site.credentials.access_token(number)}
    return post(site.server.port, "/introspect", form, Authorization=_client(site, number))


def _userinfo(site: Site, number: int) -> bytes:
    return get(site.server.port, "/userinfo", Authorization=f"Bearer {site.credentials.access_token(number)}")


def _authorize(site: Site, number: int) -> bytes:
    query = {
        "response_type": "code",
        "client_id": site.credentials.client_id(number),
        "redirect_uri": CALLBACK,
        "scope": " ".join(SCOPES),
        "state": "s-123",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
        "prompt": "none",
    }
    cookie = f"idp_session={site.credentials.session_cookie(number)}"
    return get(site.server.port, f"/authorize?{urlencode(query)}", Cookie=cookie)


FOR_MACHINE: Final = Kind(title="client_credentials", status=200, make=_for_machine)
INTROSPECTION: Final = Kind(title="introspection", status=200, make=_introspect)
USERINFO: Final = Kind(title="userinfo", status=200, make=_userinfo)
REFRESH: Final = Kind(title="refresh, without rotation", status=200, make=_refresh)
AUTHORIZE: Final = Kind(title="authorize with a live session", status=303, make=_authorize)


def fill_site(server: IdpServer, population: Population) -> datetime:
    """Migrate the server's database, make its keys and fill it; see :func:`bench.seed.fill`."""
    server.idp("migrate")
    prepare(server.settings)
    with opened(server.settings) as container:
        return fill(container, population)


@contextmanager
def serving(server: IdpServer, store: Store, population: Population) -> Iterator[Site]:
    """Start the server on a database that is filled; stop it at the end."""
    with server, opened(server.settings) as container:
        container.feed.poll()
        yield Site(
            server=server,
            store=store,
            container=container,
            population=population,
            credentials=Credentials(container, population),
        )


def new_server(folder: Path, store: Store, *, workers: int = 1, core: int | None = None) -> IdpServer:
    """A server that is not yet running; several in one folder share their root key."""
    return IdpServer(folder, store.url, workers=workers, core=core)


def measure(site: Site, kind: Kind, *, begin: int, seconds: int) -> Slice:
    """Drive one kind of request; AssertionError if the first is not answered as it should be."""
    requests = [kind.make(site, number) for number in site.people(begin, REQUESTS)]
    answer = send(site.server.port, requests[0])
    assert answer.status == kind.status, f"{kind.title}: {answer}"
    assert b'"active":false' not in answer.body, f"{kind.title}: {answer}"
    assert "error=" not in answer.header("location"), f"{kind.title}: {answer}"
    site.store.pin(LOAD_CORE)
    before, database_before = site.server.cpu(), site.store.cpu()
    loaded = drive(
        site.server.port, Load(requests=requests, seconds=seconds, count_answers=kind.status != 200)
    )
    spent = site.server.cpu() - before
    spent_there = _difference(database_before, site.store.cpu())
    answered = max(1, loaded.requests)
    others = sum(count for status, count in loaded.answers.items() if status != str(kind.status))
    return Slice(
        requests=loaded.requests,
        rate=loaded.rate,
        cpu_us=spent / answered * _MICROSECONDS,
        database_cpu_us=spent_there / answered * _MICROSECONDS,
        p50_ms=loaded.p50_ms,
        p99_ms=loaded.p99_ms,
        wrong=max(others, loaded.failed) + loaded.broken + (not loaded.requests),
    )


def _difference(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    return sum(spent - before.get(pid, 0.0) for pid, spent in after.items())
