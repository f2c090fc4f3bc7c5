"""``/account/history``: what happened to the account, in plain words."""

from flask import Response, request

from idp.selfservice import Words
from idp.web.context import application, container
from idp.web.pages.account_guard import account_page, signed_in
from idp.web.pages.locale import gettext, language

_PATH = "/account/history"
_LONGEST_ID = 100


def account_history() -> Response:
    """Show a page of it, newest first."""
    address = f"{application().path_prefix}{_PATH}"
    before = request.args.get("before", "")[:_LONGEST_ID] or None
    shown = container().selfservice.history.list_(signed_in().account_id, language=language(), before=before)
    return account_page(
        "account/history.html",
        section="history",
        entries=shown.entries,
        words=_words,
        first=address if before else None,
        older=f"{address}?before={shown.older}" if shown.older else None,
    )


def _words(words: Words) -> str:
    text = gettext(words.message)
    return text % {"method": gettext(words.method)} if words.method else text


ROUTES = ((_PATH, "GET", account_history),)
