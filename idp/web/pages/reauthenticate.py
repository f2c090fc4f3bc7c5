"""Prove again who one is, before something that protects the account is changed (row M7)."""

from flask import Response, request

from idp.errors import Invalid, Refused, Unavailable
from idp.web.context import application, container, now, source
from idp.web.pages import providers
from idp.web.pages.account_guard import signed_in, signed_in_account
from idp.web.pages.forms import form_value
from idp.web.pages.login import assert_password_given
from idp.web.pages.own_path import own_path
from idp.web.pages.render import page
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import visit
from idp.web.pages.way import go_on, plain_goal


def reauthenticate() -> Response:
    """Ask the signed-in person for a proof."""
    signed_in()
    return _form()


def reauthenticate_post() -> Response:
    """Take their password; nobody else can sign in here."""
    signed_in()
    goal = plain_goal(return_to=_return_to(), again=True)
    try:
        password = form_value("password")
        assert_password_given(password)
        outcome = container().login.sign_in_with_password(
            identifier=signed_in_account().username,
            password=password,
            present_session=visit().session,
            device_cookie=visit().device,
            source=source(),
            now=now(),
            goal=goal,
        )
    except (Invalid, Refused, Unavailable) as error:
        return _form(trouble_of(error))
    return go_on(outcome, goal)


def _return_to() -> str:
    return own_path(request.args.get("return_to")) or f"{application().path_prefix}/account"


def _form(trouble: Trouble | None = None) -> Response:
    here, account = container(), signed_in_account()
    others = [one for one in here.federated.ways_of(account.id) if providers.can_say_when(one)]
    with here.database.transaction(write=False):
        has = here.repos.enrolments.of(account.id)
    return page(
        "login/reauthenticate.html",
        status=200 if trouble is None else trouble.status,
        headers=() if trouble is None else trouble.headers,
        account=account,
        trouble=trouble,
        has_password=has.password,
        can_passkey=has.passkeys > 0 and here.passkey_flow.available,
        passkey_fields={"again": "yes", "return_to": _return_to()},
        providers=providers.views(others),
        form_targets=providers.origins(others),
    )


ROUTES = (
    ("/reauthenticate", "GET", reauthenticate),
    ("/reauthenticate", "POST", reauthenticate_post),
)
