"""The other accounts that are signed in in this browser: a cookie with the secrets of their sessions.

Each secret is worth what the cookie of a present session is, and is found by the same statement; the
cookie itself says nothing else.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple, cast

from flask import Response, g, request

from idp.sessions import BrowserSession
from idp.web.context import container, now, source
from idp.web.pages.cookies import BESIDE, SESSION
from idp.web.pages.visit import is_secure, visit

MOST: Final = 4
"""How many accounts may be signed in beside the present one."""

_SEPARATOR: Final = "."


class Beside(NamedTuple):
    """A session that is parked in this browser."""

    session: BrowserSession
    cookie: str


def sessions_beside() -> tuple[Beside, ...]:
    """The live ones, latest first, one for each account and none for the present one; read once per page."""
    known = g.get("beside")
    if known is None:
        known = g.beside = tuple(_live(_secrets(), visit().session))
    return cast("tuple[Beside, ...]", known)


def note_sign_in(session: BrowserSession, response: Response) -> None:
    """Keep what is still signed in beside a person who has just signed in.

    The session that was present until now is among it if it was parked, not ended or renewed. Of two
    sessions of one account the new one stays.
    """
    here = visit()
    was_present = here.session is not None and here.session.id != session.id
    if not was_present and BESIDE.read(request, secure=is_secure()) is None:
        return  # the usual case: nobody else
    others = list(_live(_secrets(), None))
    if was_present and here.session_cookie is not None:
        others = [*_live([here.session_cookie], session), *others]
    kept: dict[str, Beside] = {}
    for other in others:
        fits = len(kept) < MOST and other.session.account_id not in {session.account_id, *kept}
        if fits:
            kept[other.session.account_id] = other
        elif other.session.id != session.id:
            container().account_switch.supersede(other.session, source=source(), now=now())
    _write(response, kept.values())


def make_present(chosen: Beside, response: Response) -> None:
    """Make a parked session the present one, and park the one that was.

    Raises:
        NotFound: it ended, or was chosen elsewhere, a moment ago.
        Refused: its account may not be used.
    """
    here, secure = visit(), is_secure()
    others = [other for other in sessions_beside() if other.session.id != chosen.session.id]
    if here.session is not None and here.session_cookie is not None:
        others.insert(0, Beside(here.session, here.session_cookie))
    cookie = container().account_switch.choose(chosen.session, chosen.cookie, source=source(), now=now())
    SESSION.write(response, cookie.reveal(), secure=secure)
    _write(response, others[:MOST])


def forget(response: Response, ended: Collection[str]) -> None:
    """Drop the secrets of these sessions."""
    if any(other.session.id in ended for other in sessions_beside()):
        _write(response, [other for other in sessions_beside() if other.session.id not in ended])


def _secrets() -> list[str]:
    value = BESIDE.read(request, secure=is_secure())
    return [] if value is None else value.split(_SEPARATOR)[:MOST]


def _live(secrets: Iterable[str], present: BrowserSession | None) -> Iterable[Beside]:
    """Those that still count; a secret that does not is like none at all."""
    sessions, moment = container().sessions, now()
    seen = set() if present is None else {present.account_id}
    for secret in secrets:
        session = sessions.find(secret, moment)
        if session is not None and session.account_id not in seen:
            seen.add(session.account_id)
            yield Beside(session, secret)


def _write(response: Response, kept: Iterable[Beside]) -> None:
    value = _SEPARATOR.join(other.cookie for other in kept)
    if value:
        BESIDE.write(response, value, secure=is_secure())
    elif BESIDE.read(request, secure=is_secure()) is not None:
        BESIDE.clear(response, secure=is_secure())
