"""`idp demo` as somebody meets it who has never seen the project."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.demo.running import RunningDemo
from tests.services import free_port
from tests.transport import Http, OverTheWire

MOST_SECONDS_TO_START = 30.0
"""It takes two to three; the rest is for a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def running(directory: Path) -> Iterator[RunningDemo]:
    with RunningDemo(directory) as demo:
        yield demo


def descendants(pid: int) -> set[int]:
    """All processes below one, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(after_name[1])
    found: set[int] = set()
    while new := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= new
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def test_it_starts_within_a_bounded_time(running: RunningDemo) -> None:
    assert running.seconds_to_start < MOST_SECONDS_TO_START


def test_it_says_where_to_click_and_who_one_is(running: RunningDemo) -> None:
    assert f"Open {running.application} in your browser" in running.text
    assert running.username == "dana"
    assert len(running.password) >= 16


def test_it_shows_its_progress_one_line_per_step(running: RunningDemo) -> None:
    lines = running.text.splitlines()

    labels = [line[2:24].strip() for line in lines if line.startswith("  ") and line[2] != " "]

    assert labels == [
        "Database",
        "Accounts and clients",
        "Identity provider",
        "Application",
        "API",
        "Inbox",
        "Machine client",
    ]


def test_a_mail_that_is_sent_can_be_read_in_the_inbox(running: RunningDemo) -> None:
    """Somebody asks for a new password; the mail with the link is in the inbox a moment later."""
    page = Browser(OverTheWire(running.issuer)).get("/recover")
    page.submit("recover-submit", username="dana@example.com")
    inbox = Http(OverTheWire(running.inbox))

    deadline = time.monotonic() + 20
    while "Choose a new password" not in (listed := inbox.get("/").text):
        assert time.monotonic() < deadline, listed
        time.sleep(0.1)
    found = re.search(r'href="(/mail/[^"]+)"', listed)
    assert found is not None
    shown = inbox.get(found[1])

    assert f'<a href="{running.issuer}/recover/' in shown.text
    assert "dana@example.com" in shown.text
    assert "default-src 'none'" in (shown.header("Content-Security-Policy") or "")


@pytest.mark.parametrize("path", ["/mail/../secrets.json", "/mail/secrets.json", "/sms/x.txt", "/mail/.eml"])
def test_the_inbox_shows_messages_and_no_other_file(running: RunningDemo, path: str) -> None:
    assert Http(OverTheWire(running.inbox)).get(path).status == 404


def test_the_inbox_answers_to_its_own_name_only(running: RunningDemo) -> None:
    """A site that points a name of its own to this machine must not read the mails."""
    http = Http(OverTheWire(running.inbox))

    assert http.get("/", headers=[("Host", "evil.example")]).status == 400


def test_somebody_signs_in_with_two_steps(running: RunningDemo) -> None:
    assert re.fullmatch(r"[A-Z2-7]{32}", running.totp_secret)


def test_there_are_no_colours_outside_a_terminal(running: RunningDemo) -> None:
    assert "\x1b" not in running.text


def test_the_machine_client_has_reached_the_api(running: RunningDemo) -> None:
    [line] = [line for line in running.text.splitlines() if "Machine client" in line]

    assert '"client":"nightly-job"' in line
    assert "Rotate keys" in line


@pytest.mark.parametrize(
    ("place", "path", "status"),
    [("issuer", "/readyz", 200), ("application", "/", 200), ("api", "/notes", 401), ("inbox", "/", 200)],
)
def test_the_servers_answer(running: RunningDemo, place: str, path: str, status: int) -> None:
    http = Http(OverTheWire(getattr(running, place)))

    assert http.get(path).status == status


@pytest.mark.parametrize("name", ["secrets.json", "idp.sqlite3"])
def test_what_is_secret_is_readable_by_its_owner_alone(running: RunningDemo, name: str) -> None:
    assert stat.S_IMODE((running.data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700


def test_the_servers_have_nothing_to_complain_about(running: RunningDemo) -> None:
    """A warning in the log of a fresh demonstration would be the first thing that a newcomer reads."""
    log = (running.data / "identity-provider.log").read_text(encoding="utf-8")

    assert log == ""


def test_settings_of_another_deployment_do_not_reach_it(running: RunningDemo) -> None:
    assert running.environment["IDP_ISSUER"] != running.issuer

    metadata = Http(OverTheWire(running.issuer)).get("/.well-known/openid-configuration").json()

    assert metadata["issuer"] == running.issuer


def test_the_end_leaves_no_process_and_the_next_run_finds_what_was_there(directory: Path) -> None:
    """The first run ends by Ctrl-C, the second one because its terminal was closed."""
    ports = (free_port(), free_port(), free_port(), free_port())
    with RunningDemo(directory, ports) as first:
        password, children = first.password, descendants(first.pid)
        code = first.end(signal.SIGINT)
    left, text = alive(children), first.text
    with RunningDemo(directory, ports) as second:
        password_then, text_then, children_then = second.password, second.text, descendants(second.pid)
        code_then = second.end(signal.SIGHUP)

    assert (code, code_then) == (0, 0)
    assert len(children) >= 3
    assert (left, alive(children_then)) == (set(), set())
    assert "Everything has ended" in text
    assert password_then == password
    assert "those of the last time" in text_then


def test_ctrl_c_while_it_starts_ends_everything_too(directory: Path) -> None:
    demo = RunningDemo(directory)
    demo.start()
    while "Identity provider" not in demo.text:
        time.sleep(0.01)
    children = descendants(demo.pid)

    code = demo.end(signal.SIGINT)

    assert code == 0, demo.text
    assert alive(children) == set()
    assert "Traceback" not in demo.text


@pytest.mark.parametrize(
    ("position", "address"),
    [(0, "127.0.0.1"), (1, "0.0.0.0"), (2, "127.0.0.1"), (3, "127.0.0.1")],  # noqa: S104 - a program that listens everywhere
)
def test_a_port_in_use_is_said_clearly(tmp_path: Path, position: int, address: str) -> None:
    option = ("--port", "--application-port", "--api-port", "--inbox-port")[position]
    with socket.create_server((address, 0)) as taken:
        ports = [free_port(), free_port(), free_port(), free_port()]
        ports[position] = taken.getsockname()[1]
        demo = RunningDemo(tmp_path, (ports[0], ports[1], ports[2], ports[3]))
        demo.start()

        code = demo.wait()

    assert code == 1
    assert demo.text == (
        f"idp: port {ports[position]} is in use by another program; end that one, "
        f"or choose another port: idp demo {option} NUMBER\n"
    )
    assert not (tmp_path / "var").exists()


def test_one_port_for_two_programs_is_refused(tmp_path: Path) -> None:
    port = free_port()
    demo = RunningDemo(tmp_path, (port, port, free_port(), free_port()))
    demo.start()

    code = demo.wait()

    assert code == 1
    assert "named twice" in demo.text


def test_a_folder_that_cannot_be_made_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    demo = RunningDemo(tmp_path)
    demo.start()

    code = demo.wait()

    assert code == 1
    assert f"idp: {tmp_path}/var/demo-" in demo.text
    assert "Traceback" not in demo.text


def test_a_program_that_ends_takes_the_others_along_and_its_last_words_are_shown(directory: Path) -> None:
    demo = RunningDemo(directory)
    with demo:
        children = descendants(demo.pid)
        [application] = [pid for pid in children if "relying_party" in _command_of(pid)]
        os.kill(application, signal.SIGKILL)
        code = demo.wait()

    assert code == 1
    assert "idp: the application ended by itself" in demo.text
    assert alive(children) == set()


def test_it_is_part_of_the_help() -> None:
    demo = RunningDemo(Path.cwd())
    ran = subprocess.run(
        [sys.executable, "-m", "idp", "demo", "--help"],
        env=demo.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "until Ctrl-C" in ran.stdout


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
