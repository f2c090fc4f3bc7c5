"""Four workers that share nothing but the database: all follow what one is told, and one may die.

Every worker is spoken to over a connection of its own, so "on every worker" is meant literally.
"""

import json
import os
import signal
import socket
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import psycopg
import pytest

from tests.browser import Browser, Page
from tests.databases import new_postgresql_database
from tests.provider import CALLBACK, PASSWORD, Client, Pkce
from tests.served.rig import Pinned, Served
from tests.transport import Http

WORKERS = 4
FOLLOWED_WITHIN = 1.0
"""Seconds until every worker follows a change; the poll interval is half of it, and there is no Redis."""
REPLACED_WITHIN = 5.0
DRAIN_SECONDS = 10.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with new_postgresql_database() as url:
        directory = tmp_path_factory.mktemp("workers")
        with Served(directory, database_url=url, workers=WORKERS) as started:
            started.account()
            yield started
            assert started.stop() == 0
            assert "Traceback" not in started.log_text()


@pytest.fixture(scope="module")
def shop(served: Served) -> Client:
    return served.client()


@pytest.fixture(scope="module")
def robot(served: Served) -> Client:
    return served.machine()


@pytest.fixture
def workers(served: Served) -> Iterator[list[Pinned]]:
    with served.pinned() as connections:
        assert len(connections) == WORKERS
        yield connections


def test_every_worker_follows_a_key_rotation(served: Served, robot: Client, workers: list[Pinned]):
    """The new key is published and signs on every worker without a restart; the old one stays published."""
    before = {_kid(_machine_token(worker, robot)) for worker in workers}
    with served.admin() as admin:
        admin.keys.rotate("ES256", activate_now=True)

    took = served.wait_for(lambda: _agree(workers, lambda w: _kid(_machine_token(w, robot)), but=before))

    assert took < FOLLOWED_WITHIN
    after = {_kid(_machine_token(worker, robot)) for worker in workers}
    for worker in workers:
        assert before | after <= _published(worker)


def test_every_worker_refuses_what_a_revoked_key_signed(served: Served, shop: Client, workers: list[Pinned]):
    """Revoked: out of the key set at once, and nothing it signed is accepted any more."""
    token = served.tokens(shop)["access_token"]
    assert {_userinfo(worker, token) for worker in workers} == {200}
    with served.admin() as admin:
        admin.keys.revoke(_kid(token))

    took = served.wait_for(lambda: _agree(workers, lambda worker: _userinfo(worker, token), but={200}))

    assert took < FOLLOWED_WITHIN
    assert {_userinfo(worker, token) for worker in workers} == {401}
    assert all(_kid(token) not in _published(worker) for worker in workers)
    assert _userinfo(workers[0], served.tokens(shop)["access_token"]) == 200


def test_every_worker_follows_the_life_of_a_client(served: Served, workers: list[Pinned]):
    """Row T16: usable, refused while disabled, usable again, gone: on every worker, in time."""
    with served.admin() as admin:
        secret = admin.clients.create(client_id="brief", metadata=_MACHINE)["client_secret"]
    brief = Client("brief", secret)
    steps: list[tuple[Callable[[], object], int]] = [
        (lambda: None, 200),
        (lambda: _switch(served, "disable"), 401),
        (lambda: _switch(served, "enable"), 200),
        (lambda: _switch(served, "delete"), 401),
    ]
    for change, expected in steps:
        change()
        took = served.wait_for(
            lambda expected=expected: {_machine_status(worker, brief) for worker in workers} == {expected}
        )
        assert took < FOLLOWED_WITHIN


def test_a_client_disabled_by_a_command_is_refused_by_every_worker(served: Served, workers: list[Pinned]):
    """Row T16: within a second of the moment that the command wrote down, on every worker."""
    with served.admin() as admin:
        secret = admin.clients.create(client_id="leaver", metadata=_MACHINE)["client_secret"]
    leaver = Client("leaver", secret)
    served.wait_for(lambda: {_machine_status(worker, leaver) for worker in workers} == {200})

    with ThreadPoolExecutor(1) as beside:
        command = beside.submit(served.idp, "client", "disable", "leaver")
        while {_machine_status(worker, leaver) for worker in workers} != {401}:
            assert not command.done() or time.time() - _disabled_at(served, "leaver") < FOLLOWED_WITHIN
        refused = time.time()

    assert refused - _disabled_at(served, "leaver") < FOLLOWED_WITHIN
    assert command.result()["disabled"] is True


def test_a_provider_disabled_by_a_command_is_offered_by_no_worker(served: Served, workers: list[Pinned]):
    """Row T16, for other providers: within a second of the moment that the command wrote down."""
    with served.admin() as admin:
        admin.providers.create(
            "elsewhere", {"client_id": "idp", "auth_method": "none"}, preset_name="github", secret=None
        )
    served.wait_for(lambda: all(_offers(worker, "elsewhere") for worker in workers))

    with ThreadPoolExecutor(1) as beside:
        command = beside.submit(served.idp, "provider", "disable", "elsewhere")
        served.wait_for(lambda: not any(_offers(worker, "elsewhere") for worker in workers), seconds=30)
        refused = time.time()

    assert refused - _provider_disabled_at(served, "elsewhere") < FOLLOWED_WITHIN
    assert command.result()["enabled"] is False


def test_a_session_ended_on_one_worker_is_dead_on_all(served: Served, shop: Client, workers: list[Pinned]):
    """Row S5: after logout the cookie is worth nothing on any worker, at once."""
    browser = served.browser()
    served.tokens(shop, browser=browser)
    cookies = dict(browser.cookies)
    assert all(_is_signed_in(served, worker, shop, cookies) for worker in workers)
    browser._transport = workers[0]  # noqa: SLF001 - the same browser, now at one certain worker

    browser.get("/logout").submit("logout-yes")

    assert not any(_is_signed_in(served, worker, shop, cookies) for worker in workers)


@pytest.mark.parametrize("end", ["by-its-person-elsewhere", "by-an-operator", "by-switching"])
def test_each_way_to_end_a_session_counts_on_every_worker(
    served: Served, shop: Client, workers: list[Pinned], end: str
):
    """Rows S5, S6, S7: a session is read from the database with every page, so no worker has to be told."""
    with served.admin() as admin:
        admin.accounts.create(username=end, email=None, email_verified=False, claims={}, password=PASSWORD)
    browser = Browser(workers[0])
    _sign_in(browser.get("/login"), end)
    cookies = dict(browser.cookies)
    assert all(_is_signed_in(served, worker, shop, cookies) for worker in workers)

    if end == "by-its-person-elsewhere":
        elsewhere = Browser(workers[1])
        _sign_in(elsewhere.get("/login"), end)
        elsewhere.get("/account/sessions").submit("sessions-end-others")
    elif end == "by-an-operator":
        with served.admin() as admin:
            admin.accounts.disable(end)
    else:  # the value of the cookie ends, the session goes on with another
        _sign_in(browser.get("/select-account").submit("account-other"), "ada")
        browser.get("/select-account").submit("account-1")

    assert not any(_is_signed_in(served, worker, shop, cookies) for worker in workers)


def _sign_in(page: Page, username: str) -> None:
    assert page.submit("login-submit", username=username, password=PASSWORD).status == HTTPStatus.OK


def test_a_killed_worker_takes_nothing_with_it(served: Served, shop: Client):
    """The others go on, the replacement is ready in time, and nothing that was acknowledged is lost."""
    browser = served.browser()
    tokens = served.tokens(shop, browser=browser, scope="openid offline_access")
    pkce = Pkce()
    code = served.code(shop, browser=browser, **pkce.parameters)
    with served.pinned() as workers:
        victim, *others = workers
        pids = {worker.pid for worker in workers}
        os.kill(victim.pid or 0, signal.SIGKILL)
        started = time.monotonic()
        while not (new := set(served.worker_pids()) - pids):
            assert {_userinfo(worker, tokens["access_token"]) for worker in others} == {200}
            assert time.monotonic() - started < REPLACED_WITHIN
        with served.pinned(new) as (replacement,):
            assert _userinfo(replacement, tokens["access_token"]) == 200
            took = time.monotonic() - started
        assert {_userinfo(worker, tokens["access_token"]) for worker in others} == {200}

    assert took < REPLACED_WITHIN
    assert served.exchange(shop, code, verifier=pkce.verifier).status == 200
    assert served.exchange(shop, code, verifier=pkce.verifier).status == 400
    assert served.refresh(shop, tokens["refresh_token"]).status == 200
    assert _is_signed_in(served, served.transport, shop, dict(browser.cookies))


def test_a_replacement_knows_what_has_changed_since_the_master_began(tmp_path: Path):
    """Row T16: workers are forked with the copies of their master, which may be days old by then."""
    with new_postgresql_database() as url, Served(tmp_path, database_url=url, workers=2) as served:
        robot = served.machine()
        served.stop()
        served.start()  # a master that has read the client
        pids = set(served.worker_pids())
        with served.pinned() as workers:
            assert {_machine_status(worker, robot) for worker in workers} == {200}
            with served.admin() as admin:
                admin.clients.disable(robot.id)
            served.wait_for(lambda: {_machine_status(worker, robot) for worker in workers} == {401})

        os.kill(min(pids), signal.SIGKILL)
        served.wait_for(lambda: set(served.worker_pids()) - pids)

        with served.pinned(set(served.worker_pids()) - pids) as (replacement,):
            assert _machine_status(replacement, robot) == 401


def test_the_master_holds_nothing_that_workers_must_not_share(served: Served):
    """A connection with two owners mixes up their answers, and a thread does not outlive a fork."""
    master = Path(f"/proc/{served.pid}")
    held = {str(file.readlink()) for file in (master / "fd").iterdir()}
    connected = {
        f"socket:[{fields[9]}]"
        for table in ("tcp", "tcp6")
        for fields in map(str.split, (master / "net" / table).read_text().splitlines()[1:])
        if fields[3] == "01"  # established
    }

    assert not held & connected
    watchers = WORKERS  # granian's, begun after each fork
    assert len(list((master / "task").iterdir())) <= 1 + watchers


def test_workers_end_with_a_master_that_was_killed(tmp_path: Path):
    """Nobody is left who holds the port against the next start."""
    with Served(tmp_path, workers=2, IDP_SERVER_DRAIN_TIMEOUT="1") as served:
        served.stop(signal.SIGKILL)
        killed = time.monotonic()
        while not _is_free(served.port):
            assert time.monotonic() - killed < DRAIN_SECONDS

        served.start()


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_requests_in_flight_finish_when_the_server_is_asked_to_end(tmp_path: Path):
    """SIGTERM: a sign-in that is being hashed gets its answer, new connections are refused, exit code 0."""
    with Served(
        tmp_path,
        workers=2,
        IDP_PASSWORDS_ARGON2_MEMORY_KIB="65536",
        IDP_PASSWORDS_ARGON2_PASSES="16",
        IDP_SERVER_DRAIN_TIMEOUT=str(int(DRAIN_SECONDS)),
    ) as served:
        served.account()
        shop = served.client()
        browser = served.browser()
        page = served.authorize(browser, shop, **Pkce().parameters)
        form = page.form_with("login-submit")
        filled = list({**form.fields, "username": "ada", "password": PASSWORD}.items())
        answered: list[tuple[int, float]] = []

        def sign_in() -> None:
            status = browser.open("POST", form.action or page.url, form=filled, follow=False).status
            answered.append((status, time.monotonic()))

        idle = socket.create_connection(("localhost", served.port))
        thread = threading.Thread(target=sign_in)
        before = _cpu_ticks(served)
        thread.start()
        served.wait_for(lambda: _cpu_ticks(served) - before > 20)
        assert not answered, "the sign-in was over before the signal"
        asked = time.monotonic()
        os.kill(served.pid, signal.SIGTERM)
        served.wait_for(lambda: _is_refused(served.port))
        refused = time.monotonic()
        exit_code = served.stop()
        thread.join()
        idle.close()

        assert answered, "the sign-in broke off"
        assert answered[0][0] == 303
        assert answered[0][1] > refused, "the sign-in was too quick to prove anything"
        assert exit_code == 0
        assert time.monotonic() - asked < DRAIN_SECONDS
        assert "Traceback" not in served.log_text()


def test_counts_of_issued_tokens_are_written_at_the_end(tmp_path: Path):
    """Client-credentials tokens are counted in memory, for a stated time; an orderly end loses none."""
    with new_postgresql_database() as url:
        with Served(tmp_path, database_url=url, workers=2, IDP_AUDIT_FLUSH_INTERVAL="60") as served:
            robot = served.machine()
            with served.pinned() as workers:
                for worker in workers:
                    for _ in range(7):
                        _machine_token(worker, robot)
            written_before = _issued(url)
            assert served.stop() == 0

        assert written_before == 0
        assert _issued(url) == 14


_MACHINE = {
    "client_name": "Brief",
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["client_credentials"],
    "scope": "jobs:run",
}


def _disabled_at(served: Served, client_id: str) -> float:
    """Seconds since 1970."""
    with served.opened() as container, container.database.transaction(write=False):
        row = container.repos.clients.get(client_id)
        assert row is not None
        assert row.disabled_at is not None
        return row.disabled_at.timestamp()


def _provider_disabled_at(served: Served, provider_id: str) -> float:
    """Seconds since 1970."""
    with served.opened() as container, container.database.transaction(write=False):
        row = container.repos.providers.get(provider_id)
        assert row is not None
        assert row.disabled_at is not None
        return row.disabled_at.timestamp()


def _offers(worker: Pinned, provider_id: str) -> bool:
    return f'name="provider" value="{provider_id}"' in Http(worker).get("/login").text


def _switch(served: Served, action: str) -> None:
    with served.admin() as admin:
        getattr(admin.clients, action)("brief")


def _agree(workers: list[Pinned], question: Callable[[Pinned], object], *, but: set[object]) -> bool:
    """Whether all workers say the same, and something new."""
    answers = {question(worker) for worker in workers}
    return len(answers) == 1 and not answers & but


def _machine_answer(worker: Pinned, client: Client):
    return Http(worker).post("/token", {"grant_type": "client_credentials"}, auth=client.auth)


def _machine_status(worker: Pinned, client: Client) -> int:
    return _machine_answer(worker, client).status


def _machine_token(worker: Pinned, client: Client) -> str:
    answer = _machine_answer(worker, client)
    assert answer.status == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def _kid(token: str) -> str:
    header = token.partition(".")[0]
    kid: str = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
    return kid


def _published(worker: Pinned) -> set[str]:
    return {key["kid"] for key in Http(worker).get("/jwks").json()["keys"]}


def _userinfo(worker: Pinned, token: str) -> int:
    return Http(worker).get("/userinfo", headers=[("Authorization", f"Bearer {token}")]).status


def _is_signed_in(served: Served, transport, client: Client, cookies: dict[str, str]) -> bool:
    """Whether this worker answers `prompt=none` with a code for these cookies."""
    query = {
        "response_type": "code", "client_id": client.id, "redirect_uri": CALLBACK, "scope": "openid",
        "prompt": "none", **Pkce().parameters,
    }  # fmt: skip
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    answer = Http(transport).get("/authorize", query=query, headers=[("Cookie", cookie)])
    assert answer.status == 303, answer.text
    if "code=" in answer.location:
        return True
    assert "error=login_required" in answer.location
    return False


def _cpu_ticks(served: Served) -> int:
    """Hundredths of a second that the workers have computed so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text(encoding="ascii") for pid in served.worker_pids()]
    return sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats)


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return True
    return False


def _issued(url: str) -> int:
    with psycopg.connect(url) as connection:
        (number,) = connection.execute("SELECT COALESCE(SUM(count), 0) FROM issue_count").fetchone() or (0,)
    return int(number)
