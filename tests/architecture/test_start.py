"""What a worker loads: each package costs every start its time and every worker its memory."""

import subprocess
import sys

from tests.architecture.sources import ROOT

UNNEEDED = (
    "idp.cli",  # belongs to the master
    "granian",
    "alembic",  # belongs to whoever migrates
    "idp.storage.migrations",
    "mako",
    "pygments",
    "redis",  # belongs to deployments that have one
    "babel",  # 4 MiB of data about languages
    "authlib.jose",  # deprecated; Authlib's clients bring these
    "httpx",
    "requests",
    "sqlalchemy.ext.asyncio",
    "webauthn",  # 6 MB, loaded when somebody shows a passkey
    "OpenSSL",
    "cbor2",
)

PROGRAM = "import sys, idp.app; print(*sys.modules, sep='\\n')"


def test_a_worker_loads_nothing_of_commands_clients_and_other_frameworks() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())

    assert loaded.isdisjoint(UNNEEDED), loaded.intersection(UNNEEDED)
