"""The README's examples, run as they stand there; only ports and secrets are put in."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.cli.context import opened
from idp.settings import load_settings
from idp.storage.migrations import upgrade
from tests.browser import Browser
from tests.clients.journeys import sign_in
from tests.live import LiveProvider
from tests.provider import PASSWORD
from tests.services import curl_path, free_port, node_modules_path
from tests.transport import Http, OverTheWire

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
START_SECONDS = 30.0


def snippet(language: str, mark: str) -> str:
    """The one fenced block of the README in this language that holds the mark."""
    (found,) = [
        block for block in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if mark in block
    ]
    return str(found)


class Site:
    """A provider, and the applications of the README registered with it."""

    def __init__(self, provider: LiveProvider) -> None:
        self.provider = provider
        self.ports = {"notes": free_port(), "notes-js": free_port()}
        settings = load_settings(environ=provider.environment)
        upgrade(settings.database)
        with opened(settings) as container:
            self._admin = container.admin
            self._admin.accounts.create(username="ada", password=PASSWORD)
            self._admin.resources.create(
                identifier="https://api.example.org",
                name="Notes API",
                scopes={"read:notes": "Read your notes"},
                access_token_format=None,
            )
            self.secrets = {name: self._application(name) for name in self.ports}
            self.secrets["nightly"] = self._client(
                "nightly", grant_types=["client_credentials"], scope="read:notes"
            )

    def fitted(self, code: str, client: str, port: int = 0) -> str:
        """The snippet for this provider; `port` is the one it names."""
        if port:
            code = re.sub(rf"\b{port}\b", str(self.ports[client]), code)
        return code.replace("http://localhost:8000", self.provider.issuer).replace("…", self.secrets[client])

    def _application(self, name: str) -> str:
        return self._client(
            name,
            redirect_uris=[f"http://localhost:{self.ports[name]}/callback"],
            grant_types=["authorization_code", "refresh_token"],
            scope="openid profile email",
        )

    def _client(self, name: str, **metadata: Any) -> str:
        made = self._admin.clients.create(client_id=name, metadata={"client_name": name, **metadata})
        return str(made["client_secret"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    provider = LiveProvider(tmp_path_factory.mktemp("readme"))
    site = Site(provider)
    provider.start()
    yield site
    provider.stop()


def claims_after_log_in(site: Site, client: str, command: list[str]) -> dict[str, Any]:
    """Start the application, let a person log in there, and read what it shows."""
    address = f"http://localhost:{site.ports[client]}"
    application = Http(OverTheWire(address))
    process = subprocess.Popen(
        command, cwd=site.provider.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(application, process)
        here = Browser(application.transport)
        page = here.get("/")
        assert page.left, page.text
        shown: dict[str, Any] = here.get(sign_in(site.provider, page.url)).answer.json()
    finally:
        process.terminate()
        process.wait(10)
    return shown


def _wait(application: Http, process: "subprocess.Popen[bytes]") -> None:
    """Until the application answers; asking is all the waiting there is."""
    for _ in range(int(START_SECONDS / 0.1)):
        assert process.poll() is None
        try:
            application.get("/favicon.ico")
        except OSError:
            _pause(process)
        else:
            return
    raise AssertionError("the application did not start")


def _pause(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return


def test_the_flask_example_shows_the_claims(site: Site, tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(site.fitted(snippet("python", "flask_client"), "notes", 5000), encoding="utf-8")

    claims = claims_after_log_in(site, "notes", [sys.executable, str(script)])

    assert (claims["iss"], claims["aud"]) == (site.provider.issuer, "notes")


@pytest.mark.node
def test_the_node_example_shows_the_claims(site: Site, tmp_path: Path) -> None:
    modules = node_modules_path()
    if modules is None:
        pytest.skip("*** Node.js or openid-client is missing: the README's example is SKIPPED ***")
    (tmp_path / "node_modules").symlink_to(modules)
    # As the README says, it needs Node.js 20; an older one lacks a global name.
    script = tmp_path / "app.mjs"
    code = site.fitted(snippet("js", "openid-client"), "notes-js", 3000)
    script.write_text(f'import "{modules.parent / "webcrypto.mjs"}";\n{code}', encoding="utf-8")

    claims = claims_after_log_in(site, "notes-js", ["node", str(script)])

    assert (claims["iss"], claims["aud"]) == (site.provider.issuer, "notes-js")


def test_the_shell_example_gets_a_token(site: Site) -> None:
    if curl_path() is None:
        pytest.skip("*** curl is missing: the README's example for a shell is SKIPPED ***")
    shell = site.fitted(snippet("sh", "curl"), "nightly")

    answer = subprocess.run(
        ["sh", "-c", shell], env={**os.environ, "SECRET": site.secrets["nightly"]},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert json.loads(answer.stdout)["scope"] == "read:notes"


def test_the_python_example_gets_a_token(site: Site) -> None:
    python, _, _ = site.fitted(snippet("python", "import requests"), "nightly").partition("notes =")

    answer = subprocess.run(
        [sys.executable, "-c", f"secret = {site.secrets['nightly']!r}\n{python}\nprint(token['scope'])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert answer.stdout.strip() == "read:notes"
