"""Hostile requests and the answers they deserve: reading the corpus, sending it, what counts in an answer.

    hostile_requests.toml   the corpus; it explains itself
    hostile_answers.json    the answers, as they were when the corpus was made

An answer may only change on purpose. Then write the file anew and read the difference:

    .venv/bin/python -m tests.served.hostile_requests
"""

import base64
import json
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.provider import Provider, make_provider, make_settings
from tests.serving import PEER, GranianThread
from tests.transport import Answer, InProcess, Pairs, basic

_CORPUS = Path(__file__).with_suffix(".toml")
ANSWERS = Path(__file__).with_name("hostile_answers.json")

SECRET = "a-secret-of-forty-three-characters-0123456789"
_NAMED = re.compile(r"\{([a-z-]+)\}")
_REPEATED = re.compile(r"\{([^{}]+)\*(\d+)\}")
_SERVERS_OWN = {"date", "server", "connection", "transfer-encoding", "content-length"}
_RANDOM_MEMBERS = {"access_token", "request_id", "jti", "kid", "x", "y", "n"}
_RANDOM_TEXT = re.compile(r"[A-Za-z0-9_-]{20,}")


@dataclass(frozen=True)
class Request:
    """One request at one address."""

    case: str
    address: str
    method: str
    target: str
    version: str
    headers: Pairs
    body: str
    wire: bool
    half: bool
    cut: bool

    @property
    def name(self) -> str:
        return f"{self.case} @ {self.address}"

    @property
    def octets(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [
            f"{self.method} {self.target} {self.version}",
            *(f"{name}: {text}" for name, text in self.headers),
        ]
        named = {name.strip().lower() for name, _ in self.headers}
        body = self.body
        if not self.wire and (body or self.method == "POST") and "content-length" not in named:
            lines.append(f"Content-Length: {len(body)}")
        end = "" if self.cut else "\r\n\r\n"
        return ("\r\n".join(lines) + end + body).encode("latin-1")


class Hostility:
    """A provider with what the corpus speaks of, reached in both ways.

    ``robot`` is a machine, ``shop`` a client of people; the access token is one of ada's with all her claims.
    """

    def __init__(self, provider: Provider) -> None:
        self.direct = InProcess(provider.app, provider.issuer, PEER)
        self._server = GranianThread(provider.app, provider.container.settings)
        self.served = self._server.transport(provider.issuer)
        provider.account("ada", email="ada@example.org")
        shop = provider.client("shop")
        robot = provider.machine("robot", scope="jobs:run jobs:see", secret=SECRET)
        credentials = basic(robot.id, SECRET).removeprefix("Basic ")
        unpadded = base64.urlsafe_b64encode(f"{robot.id}:{SECRET}".encode()).decode().rstrip("=")
        etag = provider.http.get("/jwks").header("ETag") or ""
        self._words = {
            "host": "idp.example",
            "form": "application/x-www-form-urlencoded",
            "client": shop.id,
            "secret": SECRET,
            "basic": f"Basic {credentials}",
            "credentials": credentials,
            "credentials-unpadded": unpadded,
            "post": f"client_id={robot.id}&client_secret={SECRET}",
            "token": provider.tokens(shop)["access_token"],
            "etag": etag,
            "etag-unquoted": etag.strip('"'),
        }

    def requests(self, case: "Case") -> Iterator[Request]:
        """The case at each of its addresses."""
        for address in case.addresses:
            yield case.at(address, self._words)

    def ask_directly(self, request: Request) -> Answer:
        """What the application says, without a server."""
        body = request.body.encode("latin-1") or None
        try:
            return self.direct.send(request.method, request.target, headers=request.headers, body=body)
        except Exception:  # noqa: BLE001 - whatever a server would turn into a bare 500
            return Answer(500, [], b"")

    def ask_served(self, request: Request) -> Answer | None:
        """What the server says; None when it closes the connection without a word.

        A server that refuses before it has read the whole body resets the connection, and the kernel may then
        drop the answer: a reset is tried again.
        """
        for _ in range(20):
            try:
                return self.served.send_raw(request.octets, request.method, breaks_off=request.half)
            except ConnectionError:
                continue
        return None

    def close(self) -> None:
        self._server.stop()


@dataclass(frozen=True)
class Case:
    """One line of the corpus."""

    name: str
    addresses: tuple[str, ...]
    says: Mapping[str, Any]
    goods: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return self.name

    @property
    def wire(self) -> bool:
        """Whether only a server can be sent this."""
        return bool(self.says.get("wire"))

    @property
    def is_alike(self) -> bool:
        """Whether both ways must give one answer."""
        return not self.wire and not self.says.get("blank")

    def at(self, address: str, words: Mapping[str, str]) -> Request:
        """The request at an address; `words` stand for the names within braces."""
        good = self.goods[address]
        here = {**words, **{name: _filled(good.get(name, ""), words) for name in ("path", "query", "body")}}
        here["capital-path"] = _capitals(here["path"])
        headers = [(name, _filled(text, here)) for name, text in self.says.get("headers", [])]
        dropped = [*(name for name, _ in headers), *self.says.get("without", [])]
        replaced = {name.lower() for name in dropped}
        kept = [(name, _filled(text, here)) for name, text in [("Host", "{host}"), *good.get("headers", [])]]
        return Request(
            case=self.name,
            address=address,
            method=_filled(self.says.get("method", good["method"]), here),
            target=_filled(self.says.get("target", "{path}?{query}" if here["query"] else "{path}"), here),
            version=self.says.get("version", "HTTP/1.1"),
            headers=[pair for pair in kept if pair[0].lower() not in replaced] + headers,
            body=_filled(self.says.get("body", "{body}"), here),
            wire=self.wire,
            half=bool(self.says.get("half")),
            cut=bool(self.says.get("cut")),
        )


def _filled(text: str, words: Mapping[str, str]) -> str:
    text = _NAMED.sub(lambda found: words.get(found[1], found[0]), text)
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), text)


def _capitals(path: str) -> str:
    return path[:1] + path[1:2].upper() + path[2:]


def read_cases() -> list[Case]:
    """The corpus in its order."""
    corpus = tomllib.loads(_CORPUS.read_text(encoding="utf-8"))
    return [
        Case(
            name=f"{group}: {case['name']}",
            addresses=tuple(case.get("at", table["at"])),
            says={"wire": table.get("wire", False), **case},
            goods=corpus["addresses"],
        )
        for group, table in corpus["groups"].items()
        for case in table["cases"]
    ]


def whole(answer: Answer | None) -> dict[str, Any]:
    """Everything in an answer but what differs from request to request."""
    if answer is None:
        return {"status": 0}
    return {"status": answer.status, "headers": _headers(answer), "body": _body(answer)}


def essence(answer: Answer | None) -> dict[str, Any]:
    """What of an answer is recorded: status, headers, an error with its text, the title of a page."""
    if answer is None:
        return {"status": 0}
    body = _body(answer)
    if isinstance(body, dict):
        kept = body if "error" in body or "active" in body else sorted(body)
    else:
        kept = re.findall(r"<title>[^<]*</title>|data-error=\"[^\"]*\"", body) or len(body)
    return {"status": answer.status, "headers": _headers(answer), "body": kept}


def _headers(answer: Answer) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in sorted((name.lower(), value) for name, value in answer.headers):
        if name not in _SERVERS_OWN:
            text = _without_chance(name, value)
            found[name] = f"{found[name]} || {text}" if name in found else text
    return found


def _without_chance(name: str, value: str) -> str:
    if name in {"x-request-id", "etag"}:
        return "*"
    if name == "set-cookie":
        return re.sub(r"=[^;]*", "=*", value, count=1)
    return _RANDOM_TEXT.sub("*", value) if name in {"location", "content-security-policy"} else value


def _body(answer: Answer) -> Any:
    text = answer.body.decode("utf-8")
    if (answer.header("Content-Type") or "").startswith("application/json") and text:
        return _settled(json.loads(text))
    return _RANDOM_TEXT.sub("*", text)


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "*" if name in _RANDOM_MEMBERS else _settled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_settled(inner) for inner in value]
    return value


@contextmanager
def hostility(folder: Path, database_url: str | None = None) -> Iterator[Hostility]:
    """A provider for the corpus, with its database in this folder or at this address."""
    provider = make_provider(make_settings(folder, database_url))
    try:
        held = Hostility(provider)
        try:
            yield held
        finally:
            held.close()
    finally:
        provider.close()


def read_answers() -> dict[str, dict[str, Any]]:
    """The recorded answer of each request, by its name and the way it went."""
    recorded = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return {name: recorded["answers"][label] for name, label in recorded["requests"].items()}


def recorded_names(case: Case, request: Request) -> tuple[str | None, str]:
    """Under which names the answers are recorded: without a server (None if that cannot be), and with one."""
    if case.wire:
        return None, request.name
    return request.name, request.name if case.is_alike else f"{request.name}, served"


def write_answers() -> None:
    """Ask everything and record the answers: each kind once, then who got which."""
    recorder = _Recorder()
    with tempfile.TemporaryDirectory() as folder, hostility(Path(folder)) as held:
        for case in read_cases():
            for request in held.requests(case):
                direct, served = recorded_names(case, request)
                if direct:
                    recorder.add(direct, held.ask_directly(request))
                if served != direct:
                    recorder.add(served, held.ask_served(request))
    recorded = {"answers": recorder.kinds, "requests": recorder.requests}
    ANSWERS.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class _Recorder:
    """Gives every kind of answer a label that can be read: its status, its error, a number."""

    def __init__(self) -> None:
        self.kinds: dict[str, Any] = {}
        self.requests: dict[str, str] = {}
        self._labels: dict[str, str] = {}

    def add(self, name: str, answer: Answer | None) -> None:
        kind = essence(answer)
        text = json.dumps(kind, sort_keys=True)
        if text not in self._labels:
            error = kind["body"].get("error", "") if isinstance(kind.get("body"), dict) else ""
            start = f"{kind['status']} {error}".strip()
            count = sum(label.partition(" #")[0] == start for label in self.kinds)
            self._labels[text] = f"{start} #{count + 1}"
            self.kinds[self._labels[text]] = kind
        self.requests[name] = self._labels[text]


if __name__ == "__main__":
    write_answers()
