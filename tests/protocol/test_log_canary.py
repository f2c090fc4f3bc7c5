"""No secret in any log record, at any level, from any library (row X10).

| row | MUST                                                           | test                             |
|-----|----------------------------------------------------------------|----------------------------------|
| X10 | no password, code, token, secret, cookie in a record of a flow | test_whole_flow_logs_no_secret   |
| X10 | nor when things go wrong                                       | test_failures_log_no_secret      |
| X10 | nor in the audit trail                                         | test_audit_trail_holds_no_secret |
| X10 | nor when a secret is in an address                             | test_secret_in_an_address        |
| X11 | no injected line                                               | test_nobody_can_write_lines      |
"""

import io
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import MetaData, select

from idp.observability import configure_logging
from tests.provider import PASSWORD, Client, Pkce, Provider


class Everything(logging.Handler):
    """Keeps every record with everything in it: message, arguments, fields, traceback.

    As text and at once, because the filters of later handlers take secrets out of the record itself.
    """

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{logging.Formatter().format(record)} {record.__dict__!r}")

    def text(self) -> str:
        return "\n".join(self.lines)


class Logs:
    """What a flow wrote: the raw records, and the lines of both formats."""

    def __init__(self) -> None:
        self.raw = Everything()
        self.streams = {"json": io.StringIO(), "text": io.StringIO()}

    def found(self, secrets: dict[str, str]) -> list[str]:
        """Names of the secrets that can be read somewhere, and where."""
        logging.getLogger("sqlalchemy.engine.canary").critical("alive")
        places = {
            "records": self.raw.text(),
            **{name: stream.getvalue() for name, stream in self.streams.items()},
        }
        assert "alive" in places["records"]
        assert any("alive" in stream.getvalue() for stream in self.streams.values())
        return [
            f"{name} in {place}"
            for name, secret in secrets.items()
            for place, text in places.items()
            if secret in text
        ]


@pytest.fixture(params=["json", "text"])
def logs(request: pytest.FixtureRequest) -> Iterator[Logs]:
    """Logging as the server sets it up, at its chattiest; put back afterwards."""
    root = logging.getLogger()
    before = {name: logging.getLogger(name).level for name in ["", *root.manager.loggerDict]}
    handlers = list(root.handlers)
    made = Logs()
    configure_logging("DEBUG", request.param, made.streams[request.param])
    root.handlers.insert(0, made.raw)  # first, before any filter has made a record harmless
    try:
        yield made
    finally:
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)
        for handler in handlers:
            handler.filters.clear()
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def whole_flow(provider: Provider, client: Client) -> dict[str, str]:
    """Sign in, exchange, refresh, ask, introspect, revoke, sign out; every secret that was on the way."""
    browser = provider.browser()
    pkce = Pkce()
    given: dict[str, str | None] = {"nonce": "nonce-of-this-request", "state": "state-of-this-request"}
    code = provider.code(
        client, browser=browser, scope="openid email offline_access", **pkce.parameters, **given
    )
    first = provider.exchange(client, code, verifier=pkce.verifier).json()
    second = provider.refresh(client, first["refresh_token"]).json()
    provider.userinfo(second["access_token"])
    provider.http.post("/userinfo", {"access_token": first["access_token"]})
    cookies = dict(browser.cookies)
    if client.secret:
        provider.introspect(client, second["access_token"])
    provider.revoke(client, second["refresh_token"])
    browser.get("/logout", {"id_token_hint": first["id_token"], "state": "x"})
    secrets = {"code": code, "verifier": pkce.verifier, "password": PASSWORD}
    secrets |= {f"cookie {name}": value for name, value in cookies.items()}
    secrets |= {f"first {name}": first[name] for name in ("access_token", "refresh_token", "id_token")}
    secrets |= {f"second {name}": second[name] for name in ("access_token", "refresh_token", "id_token")}
    return secrets | ({"client secret": client.secret} if client.secret else {})


@pytest.mark.parametrize(
    ("auth_method", "access_token_format"),
    [("client_secret_basic", "jwt"), ("client_secret_post", "opaque"), ("none", "jwt")],
)
def test_whole_flow_logs_no_secret(logs, new_provider, auth_method, access_token_format):
    """X10, libraries 5 (4): a whole flow at DEBUG, with the raw records of every library in view.

    The provider is made after logging was set up, as `idp serve` does it: SQLAlchemy looks at its level
    only then.
    """
    provider = new_provider()
    provider.account("ada", email="ada@example.org")
    client = provider.client("rp", auth_method=auth_method, access_token_format=access_token_format)

    secrets = whole_flow(provider, client)

    assert len(secrets) >= 11
    assert logs.found(secrets) == []


def test_machine_logs_no_secret(provider, robot, logs):
    """X10: the same for a machine."""
    answer = provider.http.post("/token", {"grant_type": "client_credentials"}, auth=robot.auth)
    provider.introspect(robot, answer.json()["access_token"])

    assert logs.found({"token": answer.json()["access_token"], "secret": robot.secret}) == []


def test_failures_log_no_secret(provider, ada, shop, spa, logs):
    """X10: what was refused may have been right elsewhere: nothing of it is repeated."""
    tokens = provider.tokens(spa)
    wrong = {
        "password": "Wr0ng-password-of-ada",
        "secret": "Wr0ng-secret-of-shop",
        "id": "S3cret-in-the-id-field",
    }
    page = provider.authorize(provider.browser(), shop, **Pkce().parameters)
    page.submit("login-submit", username="ada", password=wrong["password"])
    page.submit("login-submit", username=wrong["password"], password=PASSWORD)
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)
    provider.exchange(Client(shop.id, wrong["secret"]), code, verifier=pkce.verifier)
    provider.exchange(Client(wrong["id"], "x"), code, verifier=pkce.verifier)
    other = Pkce()
    provider.exchange(shop, code, verifier=other.verifier)
    provider.exchange(shop, code, verifier=pkce.verifier)
    provider.exchange(shop, code, verifier=pkce.verifier)
    provider.refresh(spa, tokens["refresh_token"])
    provider.advance(seconds=60)
    provider.refresh(spa, tokens["refresh_token"])
    provider.http.post(f"/token?code={code}&client_secret={shop.secret}", {"grant_type": "x"})
    provider.http.get("/userinfo", query={"access_token": tokens["access_token"]})
    provider.http.post("/token", [("code", code), ("code", code)], auth=shop.auth)
    provider.http.send("POST", "/token", headers=[("Content-Type", "application/json")],
                       body=f'{{"code": "{code}", "client_secret": "{shop.secret}"}}'.encode())  # fmt: skip
    provider.userinfo(tokens["access_token"] + "x")
    provider.introspect(shop, "x" + tokens["refresh_token"])

    secrets = {
        **wrong,
        **tokens,
        "code": code,
        "verifier": pkce.verifier,
        "other": other.verifier,
        "right": PASSWORD,
    }
    secrets |= {"client secret": shop.secret}
    for name in ("token_type", "expires_in", "scope"):
        secrets.pop(name)
    assert logs.found(secrets) == []


def test_secret_in_an_address(provider, shop, logs):
    """X10: the path of a refused request is logged; a code or token in it is blotted out."""
    code = provider.code(shop, **Pkce().parameters)
    tokens = provider.tokens(shop)

    for secret in (code, tokens["refresh_token"], tokens["access_token"]):
        provider.http.send("GET", f"/nowhere/{secret}?token={secret}")

    secrets = {name: tokens[name] for name in ("access_token", "refresh_token")} | {"code": code}
    written = "".join(stream.getvalue() for stream in logs.streams.values())
    assert "/nowhere/" in written
    assert [name for name, secret in secrets.items() if secret in written] == []


def test_unexpected_error_logs_no_secret(provider, shop, logs):
    """X7, X10: the traceback of an exception nobody foresaw is logged, without what the client sent."""
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)
    with provider.container.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE token_family RENAME TO mislaid")
    try:
        answer = provider.exchange(shop, code, verifier=pkce.verifier)
    finally:
        with provider.container.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE mislaid RENAME TO token_family")

    assert answer.status in {500, 503}
    assert "token_family" not in answer.text
    assert answer.json().get("request_id") or answer.header("X-Request-Id")
    assert logs.found({"code": code, "verifier": pkce.verifier, "secret": shop.secret}) == []
    assert provider.exchange(shop, code, verifier=pkce.verifier).status == 200, "nothing was lost"


def test_audit_trail_holds_no_secret(provider, ada, shop, logs):
    """X9, X10: who, what, when, from where; never with what."""
    secrets = whole_flow(provider, shop)
    provider.http.post("/token", {"grant_type": "x"}, auth=("S3cret-in-the-id-field", "x"))
    engine = provider.container.database.engine
    tables = MetaData()
    tables.reflect(engine, only=["audit_event"])
    with engine.connect() as connection:
        trail = [repr(tuple(row)) for row in connection.execute(select(tables.tables["audit_event"]))]

    assert len(trail) >= 6
    secrets["client id"] = "S3cret-in-the-id-field"
    assert [name for name, secret in secrets.items() if any(secret in line for line in trail)] == []
    assert any("203.0.113.7" in line for line in trail)


def test_nobody_can_write_lines(provider, shop, logs):
    """X11: line breaks and control characters in what was sent do not reach the lines."""
    evil = 'x\r\n{"level":"INFO","message":"forged"}\x1b[31m'
    provider.http.post("/token", {"grant_type": evil, "scope": evil}, auth=(evil, evil))
    provider.http.post("/token", {"grant_type": evil}, auth=shop.auth)
    provider.http.get("/%0d%0aforged", headers=[("User-Agent", "x\tforged\x1b")])
    provider.authorize(provider.browser(), Client(evil, None), state=evil, scope=evil)

    lines = "".join(stream.getvalue() for stream in logs.streams.values())
    assert lines
    assert "\x1b" not in lines
    assert "\r" not in lines
    assert not any(line.startswith('{"level":"INFO","message":"forged"}') for line in lines.split("\n"))
