"""The pages blueprint: its addresses, and the hooks that every page passes through."""

from flask import Blueprint, Response, g, request

from idp.oauth import ShownError
from idp.observability import get_logger
from idp.selfservice import NotFresh
from idp.web.context import container
from idp.web.pages import (
    account,
    account_apps,
    account_data,
    account_deletion,
    account_history,
    account_password,
    account_sessions,
    account_username,
    contact,
    enrol,
    federation,
    federation_join,
    identities,
    new_password,
    reauthenticate,
    recovery,
    second_factor,
    securing,
    security,
    signup,
)
from idp.web.pages.account_guard import SignInNeeded, to_sign_in
from idp.web.pages.authorize import authorize, authorize_post, resume
from idp.web.pages.consent import consent, consent_post
from idp.web.pages.cookies import BROWSER
from idp.web.pages.csrf import CROSS_SITE_BY_DESIGN, StaleForm
from idp.web.pages.forms import begin_form
from idp.web.pages.fresh import to_proof
from idp.web.pages.headers import add_page_headers
from idp.web.pages.home import home
from idp.web.pages.locale import choose_language, prefer_language
from idp.web.pages.login import login, login_post, plain_login, plain_login_post
from idp.web.pages.logout import logged_out, logout, logout_confirm, logout_post, upstream_logout
from idp.web.pages.passkey import INTERACTION_ROUTES as PASSKEY_INTERACTIONS
from idp.web.pages.passkey import ROUTES as PASSKEY
from idp.web.pages.passkey_changes import ROUTES as PASSKEY_CHANGES
from idp.web.pages.problem import expired_page, stale_form_page
from idp.web.pages.render import PageResponse
from idp.web.pages.select_account import ROUTES as SELECT_ACCOUNT
from idp.web.pages.select_account import select_account, select_account_post
from idp.web.pages.visit import Visit, begin_visit, is_secure, visit

_log = get_logger(__name__)

PAGES = (  # address, method, view
    ("/", "GET", home),
    ("/authorize", "GET", authorize),
    ("/authorize", "POST", authorize_post),
    ("/login", "GET", plain_login),
    ("/login", "POST", plain_login_post),
    *second_factor.ROUTES,
    *enrol.ROUTES,
    *reauthenticate.ROUTES,
    ("/logout", "GET", logout),
    ("/logout", "POST", logout_post),
    ("/logout/confirm", "POST", logout_confirm),
    ("/logged-out", "GET", logged_out),
    ("/federation/logout", "GET", upstream_logout),
    *SELECT_ACCOUNT,
    *account.ROUTES,
    *account_sessions.ROUTES,
    *account_apps.ROUTES,
    *account_history.ROUTES,
    *account_password.ROUTES,
    *account_username.ROUTES,
    *account_data.ROUTES,
    *account_deletion.ROUTES,
    *security.ROUTES,
    *identities.ROUTES,
    *federation.ROUTES,
    *federation_join.ROUTES,
    *PASSKEY,
    *signup.ROUTES,
    *recovery.ROUTES,
    *securing.ROUTES,
    *contact.ROUTES,
    *new_password.ROUTES,
    *PASSKEY_CHANGES,
)

INTERACTION_PAGES = (  # pages of one half-finished authorization request
    ("/authorize/<uid>", "GET", resume),
    ("/login/<uid>", "GET", login),
    ("/login/<uid>", "POST", login_post),
    *second_factor.INTERACTION_ROUTES,
    *enrol.INTERACTION_ROUTES,
    ("/consent/<uid>", "GET", consent),
    ("/consent/<uid>", "POST", consent_post),
    *PASSKEY_INTERACTIONS,
    *signup.INTERACTION_ROUTES,
    ("/select-account/<uid>", "GET", select_account),
    ("/select-account/<uid>", "POST", select_account_post),
)

pages = Blueprint("pages", __name__)
_interaction = Blueprint("interaction", __name__)

for _blueprint, _table in ((pages, PAGES), (_interaction, INTERACTION_PAGES)):
    for _address, _method, _view in _table:
        _blueprint.add_url_rule(
            _address,
            view_func=_view,
            methods=[_method],
            provide_automatic_options=False,
            strict_slashes=False if _address == "/" else None,
        )

pages.register_blueprint(_interaction)


@pages.before_request
def _before() -> None:
    choose_language()
    container().feed.assert_available()
    begin_visit()
    person = visit().session
    if person is not None and person.locale:
        prefer_language(person.locale)
    if person is not None and person.deletes_at is not None:
        account_deletion.hold()
    if request.method == "POST":
        begin_form()


@pages.after_request
def _after(response: Response) -> Response:
    here: Visit | None = g.get("visit")
    # What another site posted came without our cookies: the browser keeps those it has.
    if here is not None and here.is_new_browser and request.endpoint not in CROSS_SITE_BY_DESIGN:
        BROWSER.write(response, here.browser, secure=is_secure())
    return response if isinstance(response, PageResponse) else add_page_headers(response, https=is_secure())


@pages.errorhandler(StaleForm)
def _stale_form(error: StaleForm) -> Response:
    _log.warning("request.stale_form", extra={"fields": {"path": request.path, "detail": error.detail}})
    return stale_form_page(error)


@pages.errorhandler(account_deletion.Leaving)
def _leaving(_error: account_deletion.Leaving) -> Response:
    return account_deletion.to_keep()


@pages.errorhandler(SignInNeeded)
def _sign_in_needed(_error: SignInNeeded) -> Response:
    return to_sign_in()


@pages.errorhandler(NotFresh)
def _not_fresh(error: NotFresh) -> Response:
    return to_proof(error)


@_interaction.errorhandler(ShownError)
def _expired(error: ShownError) -> Response:
    _log.info("request.interaction_gone", extra={"fields": {"path": request.path, "detail": error.detail}})
    return expired_page(error.description)
