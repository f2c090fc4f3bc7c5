"""Row L8 on the real server: more sign-ins than it hashes, waits for, or has threads for."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.browser import Page
from tests.provider import PASSWORD, Client
from tests.served.rig import Served, form_request, volley
from tests.transport import Answer

WAITING = 4
THREADS = 9
SECOND_STEPS = (b"verify", b"enrol", b"A" * 22 + b"/verify")
CROWD = 24
"""More than hash (1) and wait (4), and more than the worker has threads."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One worker whose hashes take long enough for a crowd to gather."""
    settings = {
        "IDP_PASSWORDS_ARGON2_MEMORY_KIB": "32768",
        "IDP_PASSWORDS_ARGON2_PASSES": "12",
        "IDP_PASSWORDS_MAX_WAITING_HASHES": str(WAITING),
        "IDP_PASSWORDS_HASH_QUEUE_TIMEOUT": "10s",
        "IDP_SERVER_BLOCKING_THREADS": str(THREADS),
    }
    with Served(tmp_path_factory.mktemp("flood"), **settings) as started:
        started.account()
        yield started
        assert started.stop() == 0
        assert "Traceback" not in started.log_text()


@pytest.fixture(scope="module")
def robot(served: Served) -> Client:
    return served.machine()


def test_sign_ins_beyond_the_bound_are_told_when_to_come_back(served: Served, robot: Client):
    """L8: some are signed in, the others hear 503 with Retry-After and keep the name they typed."""
    pages = [served.browser().get("/login") for _ in range(CROWD)]
    answered: list[Page] = []
    threads = [
        threading.Thread(
            target=lambda page=page: answered.append(
                page.submit("login-submit", username="ada", password=PASSWORD)
            )
        )
        for page in pages
    ]

    for thread in threads:
        thread.start()
    tokens = [ask(served, robot) for _ in range(20)]
    for thread in threads:
        thread.join(60)

    assert [answer.status for answer in tokens] == [200] * 20
    assert len(answered) == CROWD
    refused = [page for page in answered if page.status == 503]
    assert len(refused) >= 1
    assert all(page.status == 200 and page.path == "/" for page in answered if page not in refused)
    assert len(answered) - len(refused) >= 1 + WAITING
    for page in refused:
        assert page.answer.header("Retry-After") == "10"
        assert page.form_with("login-submit").fields["username"] == "ada"
        assert page.form_with("login-submit").fields.get("password", "") == ""
        assert "Try again in 10 seconds" in page.text


def test_of_a_great_crowd_most_get_one_short_page(served: Served, robot: Client):
    """L8: in their language, with all headers of a page, saying when to come back; tokens go on meanwhile."""
    crowd = 150
    page = served.browser().get("/login")
    form = {**page.form_with("login-submit").fields, "username": "nobody", "password": "wrong guess"}
    cookies = "; ".join(f"{name}={value}" for name, value in page.browser.cookies.items())
    post = form_request(served, "/login", form).replace(
        b"Connection: close", f"Connection: close\r\nAccept-Language: de\r\nCookie: {cookies}".encode()
    )
    second_steps = [post.replace(b"POST /login ", b"POST /login/" + step + b" ") for step in SECOND_STEPS]
    answers: list[Answer] = []

    flood = threading.Thread(
        target=lambda: answers.extend(volley(served, [post] * crowd + second_steps, seconds=60))
    )
    flood.start()
    tokens = [ask(served, robot) for _ in range(20)]
    flood.join()

    assert [answer.status for answer in tokens] == [200] * 20
    assert all(answer.status != 503 for answer in answers[crowd:]), "a second step needs no hash"
    refused = [answer for answer in answers[:crowd] if answer.status == 503]
    short = [answer for answer in refused if 'name="username"' not in answer.text]
    assert len(refused) > len(short) > 0
    assert {answer.header("Retry-After") for answer in refused} == {"10"}
    assert len({answer.text for answer in short}) == 1
    assert '<html lang="de"' in short[0].text
    assert "10 Sekunden" in short[0].text
    assert "script-src" not in short[0].header("Content-Security-Policy")
    expected = {name.lower() for name, _ in refused[0].headers} - {"set-cookie"}
    assert expected <= {name.lower() for name, _ in short[0].headers}


def test_threads_come_back(served: Served, robot: Client):
    """After one crowd of sign-ins, and another, as many requests as there are threads are answered."""
    for _ in range(2):
        page = served.browser().get("/login")
        form = {**page.form_with("login-submit").fields, "username": "nobody", "password": "wrong guess"}
        cookies = "; ".join(f"{name}={value}" for name, value in page.browser.cookies.items())
        post = form_request(served, "/login", form).replace(
            b"Connection: close", f"Connection: close\r\nCookie: {cookies}".encode()
        )
        answers = volley(served, [post] * CROWD, seconds=60)
        assert {answer.status for answer in answers} <= {422, 429, 503}
        assert any(answer.status in {422, 429} for answer in answers)

    token = form_request(served, "/token", {"grant_type": "client_credentials"}, robot)
    assert [answer.status for answer in volley(served, [token] * THREADS)] == [200] * THREADS
    page = served.browser().get("/login").submit("login-submit", username="ada", password=PASSWORD)
    assert page.status == 200
    assert page.path == "/"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such policy")
def test_requests_interrupt_a_hash_and_otherwise_nothing(served: Served, robot: Client):
    """L8: a request that comes while a password is hashed does not wait for the end of a time slice."""

    def works_in_batches() -> bool:
        return ask(served, robot).status == 200 and policies(served) == {os.SCHED_BATCH}

    served.wait_for(works_in_batches)
    page = served.browser().get("/login")
    sign_in = threading.Thread(
        target=lambda: page.submit("login-submit", username="ada", password="wrong guess")
    )
    sign_in.start()
    served.wait_for(lambda: policies(served) == {os.SCHED_OTHER})
    sign_in.join(60)
    served.wait_for(works_in_batches)


def policies(served: Served) -> set[int]:
    """Those of all threads of the worker."""
    (worker,) = served.worker_pids()
    found = set()
    for thread in Path(f"/proc/{worker}/task").iterdir():
        with suppress(ProcessLookupError):
            found.add(os.sched_getscheduler(int(thread.name)))
    return found


def ask(served: Served, robot: Client) -> Answer:
    return served.http.post("/token", {"grant_type": "client_credentials"}, auth=robot.auth)
