"""Passkeys: the addresses that the script asks, and the offer to add one.

The script's addresses take forms, like all others, so they have the same protection (row S8); they answer
in JSON, and the script says to the person what they answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import wraps
from math import ceil
from typing import Any, Final
from urllib.parse import quote

from flask import Response, request

from idp.authenticators import UnknownPasskey
from idp.errors import Conflict, IdpError, Invalid, NotFound, Refused, Unavailable
from idp.oauth import ShownError
from idp.selfservice import NotFresh
from idp.web.context import application, container, now, source
from idp.web.pages import client_view
from idp.web.pages.account_guard import SignInNeeded, signed_in
from idp.web.pages.cookies import ATTEMPT
from idp.web.pages.forms import form_value
from idp.web.pages.locale import choose_language, gettext
from idp.web.pages.own_path import own_path
from idp.web.pages.render import page
from idp.web.pages.signed_in import remember
from idp.web.pages.steps import resume
from idp.web.pages.visit import is_secure, visit
from idp.web.responses import json_response, see_other

_YES: Final = "yes"
_SECURITY: Final = "/account/security"

_STATUS: Final = (  # family of error, status
    (NotFresh, 403),
    (Invalid, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
    (Refused, 422),
)


def _in_json(view: Callable[[], Response]) -> Callable[[], Response]:
    """Answer what a view refuses in JSON, in the language of the page."""

    @wraps(view)
    def answered() -> Response:
        try:
            return view()
        except SignInNeeded:
            location = f"{application().path_prefix}/login?return_to={quote(_return_address())}"
            return json_response(401, {"error": "sign_in_needed", "location": location})
        except NotFresh as error:
            location = f"{application().path_prefix}/reauthenticate?return_to={quote(_return_address())}"
            return json_response(403, {**_refusal(error), "location": location})
        except ShownError as error:
            return json_response(410, {"error": "expired", "error_description": gettext(error.description)})
        except (Invalid, NotFound, Conflict, Unavailable, Refused) as error:
            return _refused(error)

    return answered


def _refused(error: IdpError) -> Response:
    status = next(status for family, status in _STATUS if isinstance(error, family))
    body, headers = dict(_refusal(error)), []
    wait = getattr(error, "retry_after", None)
    if wait is not None:
        status = 429 if status == _STATUS[-1][1] else status
        headers.append(("Retry-After", str(max(1, ceil(wait.total_seconds())))))
    if isinstance(error, UnknownPasskey):
        # The script tells the password manager, which stops offering it (Signal API).
        body["rp_id"] = container().passkeys.party.rp_id
        body["unknown_credential"] = error.credential_id
    return json_response(status, body, headers)


def _refusal(error: IdpError) -> Mapping[str, Any]:
    return {"error": "refused", "error_description": gettext(error.description)}


# Sign in


@_in_json
def passkey_options() -> Response:
    """Options for a use of a passkey: by anybody, or as a step of the sign-in of this browser."""
    flow = container().passkey_flow
    if form_value("step") != "verify":
        return json_response(200, flow.options(browser=visit().browser, source=source(), now=now()))
    with container().database.transaction(write=False):
        attempt = container().login_attempts.find(ATTEMPT.read(request, secure=is_secure()), now())
    if attempt is None or attempt.account_id is None:
        raise Refused("Please sign in from the beginning.", detail="no sign-in on its way")
    return json_response(200, flow.options_for(attempt, source=source(), now=now()))


@_in_json
def passkey_sign_in() -> Response:
    """Sign in whoever holds the passkey; where to go on."""
    here, uid = visit(), form_value("interaction")
    if uid:
        # First, so that nobody signs in to something that has expired.
        choose_language(container().authorization.describe(uid, here.browser, now()).ui_locales)
    again = form_value("again") == _YES
    only = signed_in().account_id if again else None
    signed = container().passkey_flow.sign_in(
        credential=form_value("credential"),
        browser=here.browser,
        present=here.session,
        only=only,
        park_present=form_value("beside") == _YES,
        device_cookie=here.device,
        source=source(),
        now=now(),
    )
    return remember(signed, json_response(200, {"location": _onwards(uid)}))


def _onwards(uid: str) -> str:
    if uid:
        return f"{application().path_prefix}/authorize/{uid}"
    return own_path(form_value("return_to")) or f"{application().path_prefix}/"


# Add one


@_in_json
def passkey_registration_options() -> Response:
    """Options for a new passkey of the signed-in person."""
    options = container().own_passkeys.creation_options(
        signed_in(), here=form_value("here") == _YES, automatic=form_value("automatic") == _YES, now=now()
    )
    return json_response(200, options)


@_in_json
def passkey_register() -> Response:
    """Add a passkey; what password managers should know now."""
    session, own = signed_in(), container().own_passkeys
    added = own.add(session, form_value("credential"), source=source(), now=now())
    return json_response(
        200, {"passkey": added.id, "name": added.name, "signals": asdict(own.signals(session.account_id))}
    )


# The offer after a sign-in with a password


def offer_address(*, uid: str | None, return_to: str | None, account_id: str) -> str | None:
    """Where to send somebody who has just signed in with a password, to be asked for a passkey.

    Args:
        uid: the interaction to go on with.
        return_to: where to go on outside of interactions; a path of ours, already checked.
        account_id: who it is.

    Returns:
        None if they are not to be asked: they have one, said "not now" lately, or their browser did not say
        that it could make one.
    """
    if form_value("can_passkey") != _YES or not container().own_passkeys.should_offer(account_id, now()):
        return None
    prefix = application().path_prefix
    if uid:
        return f"{prefix}/passkey/offer/{uid}"
    return f"{prefix}/passkey/offer" + (f"?return_to={quote(return_to)}" if return_to else "")


def plain_passkey_offer() -> Response:
    """Ask for a passkey, outside of any interaction."""
    signed_in()
    prefix = application().path_prefix
    return page("passkey/offer.html", go_on=own_path(request.args.get("return_to")) or f"{prefix}/")


def plain_passkey_offer_post() -> Response:
    """Not now."""
    _decline()
    return see_other(own_path(request.args.get("return_to")) or f"{application().path_prefix}/")


def passkey_offer(uid: str) -> Response:
    """Ask for a passkey, before an interaction goes on."""
    view = container().authorization.describe(uid, visit().browser, now())
    choose_language(view.ui_locales)
    signed_in()
    return page(
        "passkey/offer.html",
        form_targets=client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        go_on=f"{application().path_prefix}/authorize/{view.uid}",
    )


def passkey_offer_post(uid: str) -> Response:
    """Not now."""
    _decline()
    return resume(uid)


def _decline() -> None:
    container().own_passkeys.decline(signed_in(), source=source(), now=now())


def _return_address() -> str:
    """Where the forms of passkeys are, for coming back after a proof."""
    return f"{application().path_prefix}{_SECURITY}"


ROUTES = (
    ("/passkey/options", "POST", passkey_options),
    ("/passkey/sign-in", "POST", passkey_sign_in),
    ("/passkey/registration-options", "POST", passkey_registration_options),
    ("/passkey/register", "POST", passkey_register),
    ("/passkey/offer", "GET", plain_passkey_offer),
    ("/passkey/offer", "POST", plain_passkey_offer_post),
)

INTERACTION_ROUTES = (
    ("/passkey/offer/<uid>", "GET", passkey_offer),
    ("/passkey/offer/<uid>", "POST", passkey_offer_post),
)
