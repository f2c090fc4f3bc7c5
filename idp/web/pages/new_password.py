"""New passwords on pages: what is wrong with one, and how strong it is, in the person's language."""

from typing import Final

from flask import Response

from idp.authenticators import Fault, PasswordRefused, Verdict, Weakness
from idp.errors import Invalid, Refused, Unavailable
from idp.languages import marked
from idp.ratelimit import Limit
from idp.web.context import container, now, source
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, ngettext
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import visit
from idp.web.responses import json_response

_REFUSED: Final = 422

_FAULTS: Final = {
    Fault.TOO_LONG: marked("This password is too long."),
    Fault.PERSONAL: marked(
        "This password is little more than your name or address, or the name of this service."
    ),
    Fault.KNOWN: marked(
        "This password is known from lists that attackers try first. Please choose another one."
    ),
    Fault.GUESSABLE: marked("This password is easy to guess. Please choose another one."),
}
_WEAKNESSES: Final = {
    Weakness.COMMON: marked("Part of it is among the most common passwords."),
    Weakness.PERSONAL: marked("Your name, your address and the name of this service are tried first."),
    Weakness.NAME: marked("Names are among the first things that are tried."),
    Weakness.WORD: marked(
        "A single word is found in a dictionary. Several that do not belong together are not."
    ),
    Weakness.KEYBOARD: marked("Keys that lie side by side are tried early."),
    Weakness.REPEATED: marked("Repetition adds length, and hardly any strength."),
    Weakness.SEQUENCE: marked("Runs such as 1234 or abcd are tried early."),
    Weakness.DATE: marked("Dates and years are tried early."),
}
_STRENGTHS: Final = (
    marked("Very weak."),
    marked("Weak."),
    marked("Fair: it would withstand somebody who tries for a day."),
    marked("Good: it would withstand somebody who tries for months."),
    marked("Very good."),
)
_WEAK: Final = 2
"""Score up to which it is said what makes a password weaker than its length."""


def new_password_trouble(error: Invalid | Refused | Unavailable) -> Trouble:
    """Why a form with a new password is shown again."""
    if isinstance(error, PasswordRefused):
        return Trouble(status=_REFUSED, message=in_words(error.verdict), field="password")
    return trouble_of(error)


def in_words(verdict: Verdict) -> str:
    """What is wrong with a new password, or how strong it is, and why it is no stronger (row P5)."""
    if verdict.fault is Fault.TOO_SHORT:
        text = ngettext(
            "Use at least %(num)s character.", "Use at least %(num)s characters.", verdict.least
        ) % {"num": verdict.least}
    elif verdict.fault is not None:
        text = gettext(_FAULTS[verdict.fault])
    else:
        text = gettext(_STRENGTHS[verdict.score])
    if verdict.weakness is None or verdict.score > _WEAK or verdict.fault in {Fault.KNOWN, Fault.PERSONAL}:
        return text
    return f"{text} {gettext(_WEAKNESSES[verdict.weakness])}"


def password_strength() -> Response:
    """Judge a password while it is typed, for the script of the page. Nothing of it is kept or logged."""
    here = container()
    try:
        here.ratelimiter.hit_here(Limit.STRENGTH, source().address, now())
    except Refused as error:
        return json_response(429, {"error": "slow_down", "text": gettext(error.description)})
    verdict = here.new_passwords.judge(form_value("password"), _context())
    return json_response(
        200, {"acceptable": verdict.fault is None, "score": verdict.score, "text": in_words(verdict)}
    )


def _context() -> tuple[str, ...]:
    """Names and addresses of the person at this browser, as far as they are known."""
    here, session = container(), visit().session
    if session is not None:
        with here.database.transaction(write=False):
            account = here.accounts.get(session.account_id)
        return (account.username, account.email or "", str(account.claims.get("name", "")))
    registration = here.signup.pending(visit().browser, now())
    return () if registration is None else registration.context


ROUTES = (("/password-strength", "POST", password_strength),)
