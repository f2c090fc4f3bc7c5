"""``/account``: what a person says about themself."""

from collections.abc import Mapping

from flask import Response

from idp.accounts import Account
from idp.selfservice import ADDRESS, FIELDS, InvalidProfile
from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import account_page, signed_in, signed_in_account
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, languages
from idp.web.pages.notice import done

_REFUSED = 422
_OWN_NAMES = {"ar": "العربية", "de": "Deutsch", "en": "English"}
"""Languages in their own words; others by their tags."""


def account() -> Response:
    """Show the profile."""
    return _form(_values(signed_in_account()))


def account_post() -> Response:
    """Take the profile."""
    person = signed_in()
    typed = {name: form_value(name) for name in (*FIELDS, *ADDRESS)}
    try:
        container().selfservice.profile.change(person.account_id, typed, source=source(), now=now())
    except InvalidProfile as error:
        return _form(typed, wrong=error.fields)
    return done("/account", "profile-saved")


def _values(account: Account) -> dict[str, str]:
    """What the form shows: the claims as texts."""
    values = {name: str(account.claims[name]) for name in FIELDS if name in account.claims}
    address = account.claims.get("address")
    if isinstance(address, Mapping):
        values |= {part: str(address[part]) for part in ADDRESS if part in address}
    return values


def _form(values: Mapping[str, str], *, wrong: Mapping[str, str] | None = None) -> Response:
    """The form; with something wrong, all of what was typed is in it again."""
    prefix = application().path_prefix
    offered = [tag.replace("_", "-") for tag in languages()]
    chosen = values.get("locale", "")
    if chosen and chosen not in offered:
        offered.append(chosen)
    return account_page(
        "account/profile.html",
        section="profile",
        status=_REFUSED if wrong else 200,
        values=values,
        wrong={name: gettext(message) for name, message in (wrong or {}).items()},
        languages=[(tag, _OWN_NAMES.get(tag, tag)) for tag in offered],
        email_address=f"{prefix}/account/email",
        phone_address=f"{prefix}/account/phone",
    )


ROUTES = (
    ("/account", "GET", account),
    ("/account", "POST", account_post),
)
