"""Limits per source: asked before the expensive or guessable thing is done."""

import math
from datetime import datetime, timedelta
from enum import StrEnum

from idp.clock import Clock
from idp.errors import Refused, Unavailable
from idp.observability import get_logger
from idp.ratelimit.counters import Counters, MemoryCounters, window_of
from idp.ratelimit.keys import counter_key
from idp.settings import Rate, RatelimitSettings, parse_rate
from idp.storage import Window

_log = get_logger(__name__)

_SECOND = 1_000_000  # microseconds

_PAUSE = 1.0
"""Seconds during which a store that did not answer is not asked again: requests must not queue for it."""


class Limit(StrEnum):
    """What is limited; each has its rate in ``settings.ratelimit``."""

    LOGIN_PER_SOURCE = "login_per_source"
    """Sign-in attempts from one address, right or wrong (row L2)."""
    LOGIN_SPRAY = "login_spray"
    """Failed sign-ins from one address over all accounts: one password tried on many (row L2)."""
    CLIENT_AUTH_FAILURES = "client_auth_failures"
    """Failed client authentications from one address."""
    REQUESTS_PER_SOURCE = "requests_per_source"
    """Authorization requests of nobody in particular: each is kept in the database for a while."""
    ACCOUNT_REQUESTS = "account_requests"
    """Steps of registration and recovery from one address."""
    STRENGTH = "strength"
    """Passwords that are judged while they are typed."""


class RateLimiter:
    """Counts per limit and source in a sliding window; thread-safe.

    Rates are approximate in two ways: a window is two counters of which the older fades
    linearly, and parallel requests at the last free place may all be refused.

    No security promise hangs on it (the counters per account are durable and elsewhere), so
    it fails open into the memory of the process: while the shared store does not answer,
    every worker counts for itself.

    Args:
        ephemeral: the shared store, or anything that counts like it.
        settings: rates, and whether to limit at all.
        clock: measures the pause after a failure of the store.
    """

    def __init__(self, ephemeral: Counters, settings: RatelimitSettings, clock: Clock) -> None:
        self._shared = ephemeral
        self._own = MemoryCounters()
        self._clock = clock
        self._enabled = settings.enabled
        self._rates: dict[Limit, Rate] = {
            Limit.LOGIN_PER_SOURCE: parse_rate(settings.login_per_source),
            Limit.LOGIN_SPRAY: parse_rate(settings.login_spray_per_source),
            Limit.CLIENT_AUTH_FAILURES: parse_rate(settings.client_auth_failures_per_source),
            Limit.REQUESTS_PER_SOURCE: parse_rate(settings.requests_per_source),
            Limit.ACCOUNT_REQUESTS: parse_rate(settings.account_requests_per_source),
            Limit.STRENGTH: parse_rate(settings.strength_per_source),
        }
        self._ask_again_at = -math.inf

    def hit(self, limit: Limit, key: str, now: datetime, *, unless_exhausted: Limit | None = None) -> None:
        """Count one, and refuse when it is one too many.

        Args:
            limit: which rate.
            key: whom to count, usually the source address; several words are separated by a
                space. IPv6 addresses count by /64.
            now: aware UTC time.
            unless_exhausted: another limit that refuses as well, without being counted.

        Raises:
            Refused: too many; ``retry_after`` says when there is room again. Refused attempts
                are not counted.
        """
        if not self._enabled:
            return
        if self._clock.monotonic() >= self._ask_again_at:
            try:
                self._ask(self._shared, limit, key, now, unless_exhausted)
            except Unavailable as error:
                self._ask_again_at = self._clock.monotonic() + _PAUSE
                _log.warning("ratelimit.store.unavailable", extra={"fields": {"detail": error.detail}})
            else:
                return
        self._ask(self._own, limit, key, now, unless_exhausted)

    def hit_here(self, limit: Limit, key: str, now: datetime) -> None:
        """As :meth:`hit`, counted by this process for itself: for what must cost no store.

        Raises:
            Refused: too many.
        """
        if self._enabled:
            self._ask(self._own, limit, key, now, None)

    def _ask(self, counters: Counters, limit: Limit, key: str, now: datetime, other: Limit | None) -> None:
        """One question to the store, whatever it answers."""
        window = self._window(limit, key, now)
        beside = None if other is None else self._window(other, key, now)
        tally = counters.count(window, now, unless_full=beside)
        if other is not None and beside is not None:
            before = (tally.other_previous, tally.other_current)
            if not beside.has_room(*before):
                raise self._refusal(other, beside, *before)
        if tally.total is None:
            raise self._refusal(limit, window, tally.previous, tally.current)
        if not window.has_room(tally.previous, tally.total - 1):
            # Others came in between, and the last place was one of theirs.
            raise self._refusal(limit, window, tally.previous, tally.total)

    def _window(self, limit: Limit, key: str, now: datetime) -> Window:
        return window_of(self._rates[limit], counter_key(limit.value, key), now)

    def _refusal(self, limit: Limit, window: Window, previous: int, current: int) -> Refused:
        return Refused(
            "Too many attempts. Please wait a moment and try again.",
            detail=f"rate {self._rates[limit].name}",
            retry_after=_time_to_room(window, previous, current),
        )


def _time_to_room(window: Window, previous: int, current: int) -> timedelta:
    """How long until the faded sum is below the limit, if nothing else is counted; whole seconds."""
    length, remaining = window.length / _SECOND, window.remaining / _SECOND
    if current >= window.limit:
        # Not in this window; in the next one the present count fades in turn.
        wait = remaining + length * (1 - window.limit / current)
    else:
        wait = remaining - (window.limit - current) * length / previous if previous else 0
    return timedelta(seconds=max(1, math.floor(wait) + 1))
