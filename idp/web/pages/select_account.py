"""Which account shall it be: one of those that are signed in, or another?

Inside an interaction, where an application waits for the answer, and by itself, to switch.
"""

from typing import Final

from flask import Response

from idp.accounts import Account
from idp.errors import Invalid
from idp.oauth import InteractionView
from idp.web.context import application, container, now, source
from idp.web.pages import client_view
from idp.web.pages.beside import Beside, make_present, sessions_beside
from idp.web.pages.forms import form_value
from idp.web.pages.locale import choose_language
from idp.web.pages.render import page
from idp.web.pages.steps import follow
from idp.web.pages.steps import resume as resume_interaction
from idp.web.pages.visit import visit
from idp.web.responses import see_other

KEEP: Final = "keep"
OTHER: Final = "other"


def select_account(uid: str) -> Response:
    """Show the accounts that are signed in, and the way to another, for an application."""
    here = visit()
    if here.session is None and not sessions_beside():
        return resume_interaction(uid)
    view = container().authorization.describe(uid, here.browser, now())
    choose_language(view.ui_locales)
    return _page(view)


def select_account_post(uid: str) -> Response:
    """Take the choice; also the "not you?" button of the consent page."""
    choice = form_value("choice")
    if choice in {KEEP, OTHER}:
        here = visit()
        step = container().authorization.choose_account(
            uid,
            keep=choice == KEEP,
            session=here.session,
            browser=here.browser,
            source=source(),
            now=now(),
        )
        return follow(step)
    chosen = _chosen(choice)
    container().authorization.choose_beside(
        uid, account_id=chosen.session.account_id, browser=visit().browser, now=now()
    )
    response = resume_interaction(uid)
    make_present(chosen, response)
    return response


def switch_account() -> Response:
    """Show the accounts that are signed in in this browser."""
    if visit().session is None and not sessions_beside():
        return see_other(_address("/login"))
    return _page(None)


def switch_account_post() -> Response:
    """Make another account the present one, or go and sign in to one more."""
    choice = form_value("choice")
    if choice == OTHER:
        return see_other(_address("/login?another=1"))
    response = see_other(_address("/account"))
    if choice != KEEP:
        make_present(_chosen(choice), response)
    return response


def _page(view: InteractionView | None) -> Response:
    present = visit().session
    shown = None if view is None else client_view.of(view.client, redirect_origin=view.redirect_origin)
    with container().database.transaction(write=False):
        accounts = container().accounts
        account = None if present is None else accounts.find(present.account_id)
        others: list[tuple[str, Account]] = [
            (other.session.id, found)
            for other in sessions_beside()
            if (found := accounts.find(other.session.account_id)) is not None
        ]
    return page(
        "login/select_account.html",
        form_targets=()
        if view is None
        else client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        client=shown,
        account=account,
        others=others,
    )


def _chosen(choice: str) -> Beside:
    """The parked session that this button stands for.

    Raises:
        Invalid: none of this browser's; its id alone opens nothing.
    """
    for other in sessions_beside():
        if other.session.id == choice:
            return other
    raise Invalid("This account is not signed in any more. Choose another.", field="choice")


def _address(path: str) -> str:
    return application().path_prefix + path


ROUTES = (
    ("/select-account", "GET", switch_account),
    ("/select-account", "POST", switch_account_post),
)
