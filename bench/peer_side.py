"""The peer: npm oidc-provider with state in memory (peer/server.mjs)."""

import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import orjson

from bench.servers import Server, clean_environment
from bench.subjects import CHALLENGE, RESOURCE, Subject
from bench.wire import get, send
from tests.services import free_port

_FOLDER = Path(__file__).resolve().parent / "peer"


class PeerMissing(RuntimeError):
    """The peer cannot be installed here."""


class Peer(Subject):
    """A running oidc-provider.

    Args:
        folder: working directory and log.
    """

    name = "peer"

    def __init__(self, folder: Path) -> None:
        self.secret = secrets.token_urlsafe(32)
        self._mint_port = free_port()
        self.server = Server(
            ["node", str(_FOLDER / "server.mjs"), "{port}", str(self._mint_port), self.secret],
            folder=folder,
            environment={"NODE_ENV": "production"},
            ready="/.well-known/openid-configuration",
        )

    def codes(self, count: int, *, for_api: bool = True) -> list[str]:
        """See `Subject`."""
        return self._mint(
            "/codes", count, code_challenge=CHALLENGE, **({"resource": RESOURCE} if for_api else {})
        )

    def refresh_tokens(self, count: int) -> list[str]:
        """See `Subject`."""
        return self._mint("/refresh_tokens", count, resource=RESOURCE)

    def session_cookies(self, count: int) -> list[str]:
        """See `Subject`."""
        return [f"_session={value}" for value in self._mint("/sessions", count)]

    def _mint(self, path: str, count: int, **parameters: str) -> list[str]:
        query = urlencode({"count": count, **parameters})
        answer = send(self._mint_port, get(self._mint_port, f"{path}?{query}"), timeout=60)
        made: list[str] = orjson.loads(answer.body)["made"]
        return made


def install() -> None:
    """Install the locked packages of the peer, once.

    Raises:
        PeerMissing: no Node.js, no npm, or the packages cannot be had.
    """
    stamp, lock = _FOLDER / "node_modules" / ".stamp", _FOLDER / "package-lock.json"
    if not shutil.which("node") or not shutil.which("npm"):
        raise PeerMissing("Node.js with npm is missing. On Debian and Ubuntu: apt install nodejs npm")
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PeerMissing(f"npm cannot install oidc-provider:\n{done.stderr[-1500:]}")
    stamp.touch()


def versions() -> dict[str, str]:
    """Of Node.js and of the peer."""
    lock = orjson.loads((_FOLDER / "package-lock.json").read_bytes())
    node = subprocess.run(
        ["node", "--version"], env=clean_environment(), capture_output=True, text=True, check=True
    )
    return {
        "Node.js": node.stdout.strip().removeprefix("v"),
        "oidc-provider": lock["packages"]["node_modules/oidc-provider"]["version"],
    }
