"""A small load: a few people and clients who go on asking while something breaks.

In use:

    with Load(served, {"token": ask_for_a_token, ...}) as load:
        load.go_on(5)                 -> until everybody was answered five more times
        broken = load.now()
        ...
        load.since(broken, "token")   -> what they were answered since then
"""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Self

from tests.browser import Page
from tests.provider import Client, Protocol
from tests.transport import Answer

PAUSE = 0.02
PATIENCE = 25.0

Ask = Callable[[], Answer]


@dataclass(frozen=True)
class Sample:
    """One question and its answer."""

    kind: str
    began: float
    seconds: float
    answer: Answer

    @property
    def is_good(self) -> bool:
        return self.answer.status in {200, 303}

    def __str__(self) -> str:
        return f"{self.kind} {self.answer.status} after {self.seconds:.2f} s: {self.answer.body[:300]!r}"


class Load:
    """One thread for each kind of question."""

    def __init__(self, kinds: dict[str, Ask]) -> None:
        self.kinds = tuple(kinds)
        self.samples: list[Sample] = []
        self.broken: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=item, daemon=True) for item in kinds.items()]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not self.broken, f"connections broke: {self.broken[:5]}"

    @staticmethod
    def now() -> float:
        return time.monotonic()

    def since(self, began: float, *kinds: str, until: float = float("inf")) -> list[Sample]:
        """What was asked from `began` to `until`, all kinds or some."""
        return [
            sample
            for sample in list(self.samples)
            if began <= sample.began < until and sample.kind in (kinds or self.kinds)
        ]

    def go_on(self, times: int, *, seconds: float = 0.0) -> None:
        """Wait until every kind was asked and answered so often from now on, and at least so long."""
        began = self.now()
        self.wait_for(
            lambda: (
                self.now() - began >= seconds
                and all(len(self.since(began, kind)) >= times for kind in self.kinds)
            )
        )

    def go_on_until_good(self, times: int = 5) -> float:
        """Wait until every kind had good answers so often in a row; when the last bad one came."""

        def everybody() -> bool:
            return all(
                len(latest) == times and all(sample.is_good for sample in latest)
                for latest in (self.since(began, kind)[-times:] for kind in self.kinds)
            )

        began = self.now()
        self.wait_for(everybody)
        return max((s.began + s.seconds for s in self.since(began) if not s.is_good), default=began)

    def wait_for(self, question: Callable[[], bool]) -> None:
        deadline = self.now() + PATIENCE
        while not question():
            assert self.now() < deadline, "the load got nowhere: " + "\n".join(map(str, self.samples[-9:]))
            time.sleep(0.02)

    def _ask(self, kind: str, ask: Ask) -> None:
        while not self._ended.wait(PAUSE):
            began = self.now()
            try:
                answer = ask()
            except OSError as error:
                self.broken.append(f"{kind} after {self.now() - began:.2f} s: {error!r}")
                continue
            self.samples.append(Sample(kind, began, self.now() - began, answer))


STATELESS = ("discovery", "jwks")
"""What is answered from memory, whatever the database does."""


def everyday(provider: Protocol, shop: Client, robot: Client) -> dict[str, Ask]:
    """What clients and people ask all day."""
    tokens = provider.tokens(shop, scope="openid offline_access")
    access_token, refresh_token = tokens["access_token"], tokens["refresh_token"]
    return {
        "discovery": lambda: provider.http.get("/.well-known/openid-configuration"),
        "jwks": lambda: provider.http.get("/jwks"),
        "token": lambda: provider.http.post("/token", {"grant_type": "client_credentials"}, auth=robot.auth),
        "refresh": lambda: provider.refresh(shop, refresh_token),
        "userinfo": lambda: provider.userinfo(access_token),
        "introspection": lambda: provider.introspect(shop, access_token),
        "login page": lambda: _login_page(provider, shop).answer,
    }


def a_whole_login(provider: Protocol, shop: Client) -> Answer:
    """Page, password, code, tokens; the first answer that is not what it should be, or the last."""
    page = _login_page(provider, shop)
    if not page.has("login-submit"):
        return page.answer
    page = provider.sign_in(page)
    return page.answer


def _login_page(provider: Protocol, shop: Client) -> Page:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    return provider.authorize(
        provider.browser(), shop, code_challenge=challenge, code_challenge_method="S256"
    )


def worst(samples: Collection[Sample]) -> float:
    """The longest wait, in seconds."""
    return max(sample.seconds for sample in samples)
