"""The three questions: more workers, more people, more clients."""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bench.figures import Cell, number, of_slices, table
from bench.scale_site import (
    AUTHORIZE,
    FOR_MACHINE,
    INTROSPECTION,
    REFRESH,
    REQUESTS,
    USERINFO,
    Kind,
    Site,
    fill_site,
    measure,
    new_server,
    serving,
)
from bench.seed import STEP, Population
from bench.servers import SERVER_CORE
from bench.slices import Slice
from bench.stores import postgresql_store
from bench.wire import basic
from idp.jobs.purge import BATCH
from tests.served.rig import FORM, Pinned

_MILLISECONDS: Final = 1e3
_PURGES: Final = 20
_CHANGES: Final = 6
_FOLLOWED_SECONDS: Final = 30.0
_REFUSED: Final = 401


def workers(*, rounds: int, seconds: int) -> str:
    """One worker and two, side by side on one database, slice by slice in turn."""
    population = Population(accounts=1000, clients=10)
    rows: list[list[str]] = []
    with _folder() as folder, postgresql_store() as store:
        one, two = (new_server(folder, store, workers=count) for count in (1, 2))
        fill_site(one, population)
        with serving(one, store, population) as first, serving(two, store, population) as second:
            for kind in (FOR_MACHINE, INTROSPECTION):
                alone, both = _in_turn((first, second), kind, rounds=rounds, seconds=seconds)
                rows += [
                    [kind.title, "1", *_figures(alone), "1.00", "1.00"],
                    [
                        kind.title,
                        "2",
                        *_figures(both),
                        f"{both.rate / alone.rate:.2f}",
                        f"{2 * alone.cpu_us / both.cpu_us:.2f}",
                    ],
                ]
    head = ["operation", "workers", *_HEAD, "rate against one", "with a core for each"]
    return table(head, rows)


def people(sizes: Sequence[int], *, rounds: int, seconds: int) -> str:
    """Few people and many, each with a session and a token family, on databases of their own."""
    rows: list[list[str]] = []
    with _folder() as folder, ExitStack() as stack:
        sites: list[Site] = []
        ends: list[datetime] = []
        for size in sizes:
            population = Population(accounts=size, clients=10, events=size)
            store = stack.enter_context(postgresql_store())
            own = folder / str(size)
            own.mkdir()
            server = new_server(own, store, core=SERVER_CORE)
            began = time.monotonic()
            ends.append(fill_site(server, population))
            print(f"{size} people written in {time.monotonic() - began:.0f} s", flush=True)
            sites.append(stack.enter_context(serving(server, store, population)))
        for kind in (REFRESH, INTROSPECTION, USERINFO, AUTHORIZE):
            cells = _in_turn(sites, kind, rounds=rounds, seconds=seconds)
            rows += [
                [kind.title, number(site.population.accounts), *_figures(cell)]
                for site, cell in zip(sites, cells, strict=True)
            ]
        for site, end in zip(sites, ends, strict=True):
            rows.append(["clean-up, one batch", number(site.population.accounts), *_purge(site, end)])
    return table(["operation", "people", *_HEAD], rows)


def clients(sizes: Sequence[int], *, rounds: int, seconds: int) -> str:
    """Few clients and many, with two workers: what one request costs, what one change costs."""
    rows: list[list[str]] = []
    for size in sizes:
        population = Population(accounts=1000, clients=size)
        with _folder() as folder, postgresql_store() as store:
            server = new_server(folder, store, workers=2)
            fill_site(server, population)
            with serving(server, store, population) as site:
                idle = server.worker_memory()
                (cell,) = _in_turn([site], FOR_MACHINE, rounds=rounds, seconds=seconds)
                loaded = server.worker_memory()
                reload_ms = _reload(site)
                followed = sorted(_followed(site, number_) for number_ in range(_CHANGES))
        rows.append(
            [
                number(size),
                *_figures(cell),
                f"{idle:.0f} / {loaded:.0f}",
                number(reload_ms, 1),
                f"{statistics.median(followed):.2f} / {followed[-1]:.2f}",
            ]
        )
    head = [
        "clients",
        *_HEAD,
        "MiB per worker, idle / loaded",
        "reload, CPU ms",
        "followed after s, median / most",
    ]
    return table(head, rows)


_HEAD: Final = ("requests/s", "server CPU µs", "PostgreSQL CPU µs", "p50 ms", "p99 ms")


def _figures(cell: Cell) -> list[str]:
    wrong = f" ({cell.wrong} WRONG ANSWERS)" if cell.wrong else ""
    return [
        number(cell.rate) + wrong,
        number(cell.cpu_us),
        number(cell.database_cpu_us),
        number(cell.p50_ms, 2),
        number(cell.p99_ms, 2),
    ]


def _in_turn(sites: Sequence[Site], kind: Kind, *, rounds: int, seconds: int) -> list[Cell]:
    """The medians of each site; the first slice warms up and does not count."""
    slices: list[list[Slice]] = [[] for _ in sites]
    for round_ in range(rounds + 1):
        for site, found in zip(sites, slices, strict=True):
            found.append(measure(site, kind, begin=round_ * REQUESTS, seconds=seconds))
    return [of_slices(found[1:]) for found in slices]


def _purge(site: Site, end: datetime) -> list[str]:
    """Batches of the clean-up job, as many rows of two tables as a batch takes in each."""
    repos, database = site.container.repos, site.container.database
    codes_gone = site.container.clock.now() + timedelta(hours=2)
    while any(_one_purge(site, codes_gone).values()):
        pass
    batches = min(_PURGES, site.population.accounts // BATCH)
    times: list[float] = []
    spent = site.store.cpu()
    own = time.process_time()
    for batch in range(1, batches + 1):
        began = time.monotonic()
        with database.transaction():
            deleted = repos.expired.purge(end + (batch * BATCH - 1) * STEP, BATCH)
        times.append((time.monotonic() - began) * _MILLISECONDS)
        assert deleted["token_family"] == deleted["browser_session"] == BATCH, deleted
    own = time.process_time() - own
    there = sum(cpu - spent.get(pid, 0.0) for pid, cpu in site.store.cpu().items())
    times.sort()
    return [
        "",
        number(own / batches * 1e6),
        number(there / batches * 1e6),
        number(statistics.median(times), 2),
        number(times[-1], 2),
    ]


def _one_purge(site: Site, now: datetime) -> dict[str, int]:
    with site.container.database.transaction():
        return site.container.repos.expired.purge(now, BATCH)


def _reload(site: Site) -> float:
    """CPU milliseconds that a worker spends because one client changed."""
    directory, admin = site.container.clients, site.container.admin
    directory.reload()
    times: list[float] = []
    for _ in range(3):
        admin.clients.rotate_secret("client0", overlap_days=1)
        began = time.process_time()
        directory.reload()
        times.append((time.process_time() - began) * _MILLISECONDS)
    return statistics.median(times)


def _followed(site: Site, number_: int) -> float:
    """Seconds from the commit that disabled a client until every worker refuses it."""
    client_id, secret = site.credentials.client_id(number_), site.credentials.client_secret(number_)
    headers = [FORM, ("Authorization", basic(client_id, secret))]
    body = urlencode({"grant_type": "client_credentials", "scope": "jobs:run"}).encode()
    with _each_worker(site) as connections:
        # The commits fall on different moments between two looks of the workers.
        time.sleep(number_ * 0.17)
        if number_:
            assert connections[0].send("POST", "/token", headers=headers, body=body).status != _REFUSED
        site.container.admin.clients.disable(client_id)
        began = time.monotonic()
        while any(
            worker.send("POST", "/token", headers=headers, body=body).status != _REFUSED
            for worker in connections
        ):
            assert time.monotonic() - began < _FOLLOWED_SECONDS, "a worker does not follow"
            time.sleep(0.005)
        return time.monotonic() - began


@contextmanager
def _each_worker(site: Site) -> Iterator[list[Pinned]]:
    """One connection to each of the two workers."""
    pids = site.server.pids()
    opened: list[Pinned] = []
    found: dict[int, Pinned] = {}
    try:
        while len(found) < 2:
            connection = Pinned(site.server.issuer)
            opened.append(connection)
            pid = connection.worker(pids)
            if pid is not None:
                found.setdefault(pid, connection)
            assert len(opened) < 100, "no connection reached the second worker"
        yield list(found.values())
    finally:
        for connection in opened:
            connection.close()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as name:
        yield Path(name)
