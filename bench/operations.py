"""What is measured: the requests of each operation, and what a right answer is."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench import checks, passkeys
from bench.load import CONNECTIONS
from bench.ours import KIOSK, PASSWORD, PEOPLE_WITH_PASSWORD, Ours, person
from bench.subjects import API_SCOPE, MACHINE, SHOP, Subject, each
from bench.wire import Answer, basic, get, post

_TOKENS: Final = 20
_PEOPLE: Final = 50
_CSRF: Final = re.compile(rb'name="csrf_token" value="([^"]+)"')


class UnknownOperation(LookupError):
    """A name that is no operation's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table."""

    name: str
    title: str
    requests: Callable[[Subject, int], Sequence[bytes]]
    """Makes the requests of one slice; where they are used up, as many as the second argument says."""
    check: Callable[[Subject, bytes, Answer], None]
    """Looks at one answer in full; AssertionError if it is not what was asked for."""
    status: int = 200
    count: int = 0
    """How many requests one slice uses up; 0: they can be repeated, and the clock ends the slice."""
    connections: int = CONNECTIONS
    seconds: int = 1
    """Of a slice, in those that were asked for: more where few answers fit into one."""
    rounds: int = 1
    """Rounds at least."""
    against: str = ""
    """Name of the peer's operation to compare with; empty: the peer has none."""
    at_least: float | None = None
    aim: float | None = None
    """The issue's ratios of CPU per request to the peer's."""
    signatures: int = 0
    """ES256 signatures in one answer, for the share of the physical limit."""
    hashes: int = 0
    """Argon2id hashes, likewise."""


def _discovery(subject: Subject, _: int) -> Sequence[bytes]:
    return [get(subject.port, "/.well-known/openid-configuration")]


def _jwks(subject: Subject, _: int) -> Sequence[bytes]:
    return [get(subject.port, subject.addresses.jwks)]


def _client_credentials(subject: Subject, _: int) -> Sequence[bytes]:
    form = {"grant_type": "client_credentials", "scope": API_SCOPE}
    path = subject.addresses.token
    return [post(subject.port, path, form, Authorization=basic(MACHINE, subject.secret))]


def _tokens(subject: Subject, *, opaque: bool) -> tuple[str, list[str]]:
    """Access tokens for userinfo, and whose they are. The peer has only opaque ones for that."""
    if isinstance(subject, Ours):
        client = KIOSK if opaque else SHOP
        codes = subject.codes(_TOKENS, for_api=False, client=client)
    else:
        client, codes = SHOP, subject.codes(_TOKENS, for_api=False)
    answers = each([subject.exchange(code, client=client) for code in codes], subject, 200)
    return client, [str(answer.json()["access_token"]) for answer in answers]


def _introspection(subject: Subject, *, opaque: bool) -> Sequence[bytes]:
    client, tokens = _tokens(subject, opaque=opaque)
    path, authorization = subject.addresses.introspection, basic(client, subject.secret)
    return [post(subject.port, path, {"token": token}, Authorization=authorization) for token in tokens]


def _introspection_of_new(subject: Subject, count: int) -> Sequence[bytes]:
    assert isinstance(subject, Ours)
    path, authorization = subject.addresses.introspection, basic(SHOP, subject.secret)
    return [
        post(subject.port, path, {"token": token}, Authorization=authorization)
        for token in subject.access_tokens(count)
    ]


def _userinfo(subject: Subject, *, opaque: bool) -> Sequence[bytes]:
    path = subject.addresses.userinfo
    return [
        get(subject.port, path, Authorization=f"Bearer {token}")
        for token in _tokens(subject, opaque=opaque)[1]
    ]


def _code_exchange(subject: Subject, count: int) -> Sequence[bytes]:
    return [subject.exchange(code) for code in subject.codes(count)]


def _refresh(subject: Subject, count: int) -> Sequence[bytes]:
    path, authorization = subject.addresses.token, basic(SHOP, subject.secret)
    return [
        post(
            subject.port,
            path,
            {"grant_type": "refresh_token", "refresh_token": token},
            Authorization=authorization,
        )
        for token in subject.refresh_tokens(count)
    ]


def _authorize(subject: Subject, _: int) -> Sequence[bytes]:
    return [subject.authorization(cookie) for cookie in subject.session_cookies(_PEOPLE)]


def _login_pages(subject: Subject) -> list[tuple[str, str]]:
    """Addresses of sign-in pages and the cookies of the browsers that they wait for."""
    begun = each([subject.authorization("none=0")] * PEOPLE_WITH_PASSWORD * 2, subject, 303)
    return [
        (
            answer.header("location").removeprefix(subject.issuer),
            f"idp_browser={answer.cookies()['idp_browser']}",
        )
        for answer in begun
    ]


def _login_page(subject: Subject, _: int) -> Sequence[bytes]:
    return [get(subject.port, path, Cookie=cookie) for path, cookie in _login_pages(subject)]


def login(subject: Subject, _: int = 0) -> Sequence[bytes]:
    """Filled-in sign-in forms; each stays good however often it is sent, and signs in anew each time."""
    forms = []
    for turn, (path, cookie) in enumerate(_login_pages(subject)):
        page = subject.ask(get(subject.port, path, Cookie=cookie))
        found = _CSRF.search(page.body)
        if found is None:
            raise RuntimeError(f"no form in the sign-in page: {page.status} {page.body[:300]!r}")
        filled_in = {
            "csrf_token": found[1].decode(),
            "username": person(turn % PEOPLE_WITH_PASSWORD),
            "password": PASSWORD,
        }
        forms.append(post(subject.port, path, filled_in, Cookie=cookie, Sec_Fetch_Site="same-origin"))
    return forms


def _passkey_login(subject: Subject, count: int) -> Sequence[bytes]:
    assert isinstance(subject, Ours)
    return passkeys.sign_ins(subject, subject.device, count)


OPERATIONS: Final = (
    Operation(
        name="discovery", title="discovery", requests=_discovery, check=checks.discovery,
        against="discovery", at_least=3.5, aim=10,
    ),
    Operation(
        name="jwks", title="JWKS", requests=_jwks, check=checks.jwks, against="jwks", at_least=1.5, aim=4,
    ),
    Operation(
        name="client_credentials", title="client_credentials, JWT ES256", requests=_client_credentials,
        check=checks.client_credentials, against="client_credentials", at_least=3.5, aim=6, signatures=1,
    ),
    Operation(
        name="introspection", title="introspection, opaque token",
        requests=lambda subject, _: _introspection(subject, opaque=True),
        check=checks.introspection, against="introspection", at_least=1.2, aim=2.5,
    ),
    Operation(
        name="introspection_jwt", title="introspection, JWT (peer: opaque)",
        requests=lambda subject, _: _introspection(subject, opaque=False),
        check=checks.introspection, against="introspection",
    ),
    # Tokens are shown again and again, and a server may remember them; this is the cost where it cannot.
    Operation(
        name="introspection_new", title="introspection, each JWT for the first time (peer: opaque)",
        requests=_introspection_of_new, check=checks.introspection, count=3000, against="introspection",
    ),
    Operation(
        name="userinfo", title="userinfo, opaque token",
        requests=lambda subject, _: _userinfo(subject, opaque=True),
        check=checks.userinfo, against="userinfo", at_least=1.3, aim=3,
    ),
    Operation(
        name="userinfo_jwt", title="userinfo, JWT (peer: opaque)",
        requests=lambda subject, _: _userinfo(subject, opaque=False),
        check=checks.userinfo, against="userinfo",
    ),
    Operation(
        name="code_exchange", title="code exchange: access, ID and refresh token", requests=_code_exchange,
        check=checks.code_exchange, count=3000, against="code_exchange", at_least=2.5, aim=3.5, signatures=2,
        rounds=11,
    ),
    Operation(
        name="refresh", title="refresh with rotation", requests=_refresh, check=checks.refresh, count=3000,
        against="refresh", at_least=2.0, aim=3.5, signatures=2, rounds=11,
    ),
    Operation(
        name="authorize", title="authorize with a live session", requests=_authorize,
        check=checks.authorize, status=303, against="authorize",
    ),
    Operation(
        name="login_page", title="login page", requests=_login_page, check=checks.login_page,
    ),
    # Few enough at a time that none is refused: a full queue is measured by bench/isolation.py, and SQLite
    # lets one write at a time.
    Operation(
        name="login", title="password login, Argon2id", requests=login, check=checks.login, status=303,
        connections=4, seconds=2, rounds=7, hashes=1,
    ),
    Operation(
        name="passkey_login", title="passkey login, ES256 assertion", requests=_passkey_login,
        check=checks.passkey_login, connections=2, count=300,
    ),
)  # fmt: skip
"""In the order of the table."""


def on_peer(operation: Operation) -> bool:
    """Whether the peer is asked for this operation itself."""
    return operation.against == operation.name


def named(names: Sequence[str]) -> tuple[Operation, ...]:
    """The operations of these names, in the table's order; all of them for none.

    Raises:
        UnknownOperation: a name that is none.
    """
    known = {operation.name for operation in OPERATIONS}
    if unknown := set(names) - known:
        raise UnknownOperation(
            f"no such operation: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    return tuple(operation for operation in OPERATIONS if not names or operation.name in names)
