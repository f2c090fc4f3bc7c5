"""The first start, and the starts that must not happen: those end with one clear line, never a trace."""

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import new_postgresql_database
from tests.live import LiveProvider
from tests.provider import PASSWORD
from tests.served.rig import Served

REFUSED_WITHIN = 30.0
MISCONFIGURED = 78
"""EX_CONFIG of sysexits.h."""


def refused_start(served: Served) -> subprocess.CompletedProcess[str]:
    """Run `idp serve` where it must not start; fails if it goes on running."""
    return subprocess.run(
        [sys.executable, "-m", "idp", "serve", "--bind", f"127.0.0.1:{served.port}"],
        env=served.environment,
        cwd=served.directory,
        capture_output=True,
        text=True,
        timeout=REFUSED_WITHIN,
        check=False,
    )


def assert_one_clear_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("idp: ")]
    assert len(said) == 1, done.stderr
    assert all(word in said[0] for word in words), said[0]
    assert "Traceback" not in done.stderr


def test_one_command_on_a_bare_machine(tmp_path: Path):
    """SQLite migrates itself, the root key is its owner's alone, and commands set up the rest."""
    served = LiveProvider(tmp_path)
    served.start()
    try:
        key = tmp_path / "keys" / "root.key"
        served.account("ada")
        shop = served.client("shop")
        served.wait_for(lambda: served.exchange(shop, "none").status == 400)
        tokens = served.tokens(shop)

        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "idp.sqlite3").stat().st_mode) == 0o600
        assert served.userinfo(tokens["access_token"]).status == 200
    finally:
        assert served.stop() == 0
    assert "Traceback" not in served.log_text()


def test_nobody_is_there_before_an_operator_makes_them(tmp_path: Path):
    """P9: no account, no client and no password from the factory, whatever name one tries."""
    served = LiveProvider(tmp_path)
    served.start()
    try:
        accounts, clients = served.idp("account", "list"), served.idp("client", "list")
        pages = [
            served.sign_in(served.browser().get("/login"), name, password)
            for name in ("admin", "root", "idp")
            for password in (name, "password", "changeme")
        ]
        closed = served.http.get("/signup")
    finally:
        served.stop()

    assert (accounts, clients) == ([], [])
    assert all(page.status in {422, 429} and page.has("login-submit") for page in pages)
    assert closed.status == 404


def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path):
    """The same keys, accounts and tokens; nothing is made anew."""
    served = Served(tmp_path)
    with served:
        served.account()
        shop = served.client()
        tokens = served.tokens(shop, scope="openid offline_access")
        published = served.http.get("/jwks").body
        assert served.stop() == 0

        served.start()

        assert served.http.get("/jwks").body == published
        assert served.userinfo(tokens["access_token"]).status == 200
        assert served.refresh(shop, tokens["refresh_token"]).status == 200
        assert served.sign_in(served.authorize(served.browser(), shop, **_PKCE), "ada", PASSWORD).left


def test_a_root_key_that_others_can_read_stops_the_start(tmp_path: Path):
    """Decision D5: the message says which file and what to do."""
    served = Served(tmp_path)
    with served.opened_empty():
        key = tmp_path / "keys" / "root.key"
    key.chmod(0o640)

    done = refused_start(served)

    assert_one_clear_line(done, MISCONFIGURED, str(key), "0640", "chmod 600")


@pytest.mark.parametrize("what", ["missing", "of another deployment", "damaged"])
def test_a_root_key_that_does_not_fit_the_database_stops_the_start(tmp_path: Path, what: str):
    """A new key would lock everybody out, quietly: nothing sealed under the old one can be opened."""
    served = Served(tmp_path)
    with served.opened_empty() as container:
        container.admin.keys.ensure()
    key = tmp_path / "keys" / "root.key"
    other = Served(tmp_path / "other")
    if what == "damaged":
        key.write_text("idp-root-key-1:short\n", encoding="ascii")
    else:
        key.unlink()
    if what == "of another deployment":
        with other.opened_empty():
            key.write_bytes((tmp_path / "other" / "keys" / "root.key").read_bytes())
        key.chmod(0o600)

    done = refused_start(served)

    assert_one_clear_line(done, MISCONFIGURED, "root.key")


@pytest.mark.postgresql
def test_a_shared_database_is_not_migrated_by_a_start(tmp_path: Path):
    """On PostgreSQL the migration is a step of the roll-out, and the message names it."""
    with new_postgresql_database() as url:
        served = Served(tmp_path, database_url=url)

        refused = refused_start(served)
        served.idp("migrate")
        served.start()
        served.stop()

    assert_one_clear_line(refused, 1, "schema", "idp migrate")


def test_a_port_in_use_is_named(tmp_path: Path):
    """The message names the address; nothing is left half started."""
    served = Served(tmp_path)
    with socket.create_server(("127.0.0.1", served.port)):
        done = refused_start(served)

    assert_one_clear_line(done, 1, f"127.0.0.1:{served.port}", "in use")


def test_a_database_that_is_away_stops_the_start(tmp_path: Path):
    """One line, in seconds; whoever supervises the process tries again."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        served = Served(tmp_path, database_url=f"postgresql://nobody:s3cret-canary@127.0.0.1:{port}/idp")
        done = refused_start(served)

    assert_one_clear_line(done, 1)
    assert "s3cret-canary" not in done.stderr


def test_wrong_settings_are_all_named(tmp_path: Path):
    """Every unknown key and every wrong value, by name, in one go."""
    served = Served(tmp_path, IDP_TOKENS_ACCESS_TOKEN_LIFETME="5m", IDP_SERVER_WORKERS="many")

    done = refused_start(served)

    assert done.returncode == MISCONFIGURED
    assert "IDP_TOKENS_ACCESS_TOKEN_LIFETME" in done.stderr
    assert "IDP_SERVER_WORKERS" in done.stderr
    assert "Traceback" not in done.stderr


_PKCE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
