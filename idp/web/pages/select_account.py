"""Which account shall it be: the one that is signed in, or another?"""

from flask import Response

from idp.errors import Invalid
from idp.web.context import container, now, source
from idp.web.pages import client_view
from idp.web.pages.forms import form_value
from idp.web.pages.home import account_of
from idp.web.pages.locale import choose_language
from idp.web.pages.render import page
from idp.web.pages.steps import follow
from idp.web.pages.steps import resume as resume_interaction
from idp.web.pages.visit import visit

_CHOICES = {"keep": True, "other": False}


def select_account(uid: str) -> Response:
    """Show the account that is signed in, and the way to another."""
    here = visit()
    if here.session is None:
        return resume_interaction(uid)
    view = container().authorization.describe(uid, here.browser, now())
    choose_language(view.ui_locales)
    return page(
        "login/select_account.html",
        form_targets=client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        client=client_view.of(view.client, redirect_origin=view.redirect_origin),
        account=account_of(here.session),
        uid=uid,
    )


def select_account_post(uid: str) -> Response:
    """Take the choice; also the "not you?" button of the consent page."""
    keep = _CHOICES.get(form_value("choice"))
    if keep is None:
        raise Invalid("Choose one of the two buttons.", field="choice")
    here = visit()
    step = container().authorization.choose_account(
        uid, keep=keep, session=here.session, browser=here.browser, source=source(), now=now()
    )
    return follow(step)
