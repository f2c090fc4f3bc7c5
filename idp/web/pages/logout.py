"""Sign out: asked by a client, or by the person at the home page.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from flask import Response, request, url_for
from werkzeug.exceptions import MethodNotAllowed

from idp.clients import RegisteredClient
from idp.oauth import Confirm, LogoutStep
from idp.web.body import Pairs, parse_pairs
from idp.web.context import container, now, source
from idp.web.pages import client_view
from idp.web.pages.authorize import as_get
from idp.web.pages.beside import forget, sessions_beside
from idp.web.pages.cookies import SESSION
from idp.web.pages.csrf import FIELD
from idp.web.pages.forms import form_pairs, form_value
from idp.web.pages.headers import add_sign_out_headers
from idp.web.pages.locale import choose_language
from idp.web.pages.providers import view_of
from idp.web.pages.render import page
from idp.web.pages.visit import is_secure, visit
from idp.web.responses import see_other


def logout() -> Response:
    """Take a client's logout request: done at once with a valid hint, else asked (row S14)."""
    step = container().logout.begin(
        parse_pairs(request.query_string),
        session=visit().session,
        beside=[other.session for other in sessions_beside()],
        source=source(),
        now=now(),
    )
    return _follow(step)


def logout_post() -> Response:
    """Turn a posted request into a GET, so that ``SameSite=Lax`` cookies come along."""
    return as_get("pages.logout")


def logout_confirm() -> Response:
    """The person said yes: out of this account, or of all that are signed in in this browser."""
    params: Pairs = tuple(pair for pair in form_pairs() if pair[0] not in {FIELD, "accounts"})
    accounts = form_value("accounts")
    if not accounts and sessions_beside():
        return _ask(None, params)
    step = container().logout.confirm(
        params,
        session=visit().session,
        beside=[other.session for other in sessions_beside()] if accounts == "all" else (),
        source=source(),
        now=now(),
    )
    return _follow(step)


def logged_out() -> Response:
    """Say that it is done, and offer to sign out at the provider that the session came from."""
    upstream = container().upstream_sign_out.offered(visit().browser, now())
    return page(
        "logout/logged_out.html",
        others=len(sessions_beside()),
        upstream=None if upstream is None else view_of(upstream),
    )


def upstream_logout() -> Response:
    """Go and sign out at the provider; once, after a sign-out here."""
    if request.method == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET"])
    location = container().upstream_sign_out.take(visit().browser, now())
    return see_other(location or url_for("pages.logged_out"))


def _ask(client: RegisteredClient | None, params: Pairs) -> Response:
    return page(
        "logout/confirm.html",
        form_targets=() if client is None else client.post_logout_redirect_uris,
        client=None if client is None else client_view.of(client, redirect_origin=client.client_uri or ""),
        params=params,
        others=len(sessions_beside()),
    )


def _follow(step: LogoutStep) -> Response:
    if isinstance(step, Confirm):
        choose_language(step.ui_locales)
        return _ask(step.client, step.params)
    response = see_other(step.location or url_for("pages.logged_out"))
    present = visit().session
    if present is None or present.id in step.ended:
        SESSION.clear(response, secure=is_secure())
    forget(response, step.ended)
    if step.ended:
        add_sign_out_headers(response)
        container().upstream_sign_out.offer(step.ended, browser=visit().browser, now=now())
    return response
