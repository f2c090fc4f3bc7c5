"""The forms of the list of passkeys: rename and remove."""

from typing import Final

from flask import Response

from idp.errors import Conflict, Invalid, NotFound, Refused
from idp.selfservice import NotFresh
from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import signed_in
from idp.web.pages.forms import form_value
from idp.web.pages.notice import done
from idp.web.pages.security import security_page
from idp.web.responses import see_other

_SECURITY: Final = "/account/security"


def passkey_rename_post() -> Response:
    """Give a passkey another name."""
    own = container().own_passkeys
    try:
        own.rename(signed_in(), form_value("passkey"), form_value("name"), source=source(), now=now())
    except Invalid as error:
        return security_page(error)
    except NotFound:
        return _gone()
    return done(_SECURITY, "passkey-renamed")


def passkey_remove_post() -> Response:
    """Remove a passkey."""
    session, own = signed_in(), container().own_passkeys
    address = f"{application().path_prefix}{_SECURITY}"
    try:
        own.remove(session, form_value("passkey"), source=source(), now=now())
    except NotFresh as error:
        raise NotFresh(detail=error.detail, return_to=address) from error
    except NotFound:
        return _gone()
    except (Refused, Conflict) as error:
        return security_page(error)
    return done(_SECURITY, "passkey-removed")


def _gone() -> Response:
    """In another tab, or by a second press: the list shows what there is."""
    return see_other(f"{application().path_prefix}{_SECURITY}")


ROUTES = (
    ("/account/passkeys/rename", "POST", passkey_rename_post),
    ("/account/passkeys/remove", "POST", passkey_remove_post),
)
