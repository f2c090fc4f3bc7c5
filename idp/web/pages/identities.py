"""The forms of the list of linked accounts: link and unlink."""

from typing import Final

from flask import Response

from idp.errors import Conflict, NotFound, Refused
from idp.federation import UpstreamWish
from idp.login import Errand, Purpose
from idp.selfservice import NotFresh
from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import signed_in
from idp.web.pages.forms import form_value
from idp.web.pages.fresh import fresh_person
from idp.web.pages.leaving import leave
from idp.web.pages.locale import language
from idp.web.pages.notice import done
from idp.web.pages.security import security_page
from idp.web.responses import see_other

_SECURITY: Final = "/account/security"


def identity_link_post() -> Response:
    """Go and fetch the proof of an account elsewhere; the way back links it."""
    session = fresh_person(return_to=_SECURITY)
    errand = Errand(purpose=Purpose.LINK, session_id=session.id)
    # Which of their accounts there shall it be?
    wish = UpstreamWish(prompt="select_account", ui_locales=(language(),))
    return leave(form_value("provider"), errand, wish)


def identity_unlink_post() -> Response:
    """Take a linked account away."""
    session, identities = signed_in(), container().selfservice.identities
    address = f"{application().path_prefix}{_SECURITY}"
    try:
        identities.unlink(session, form_value("identity"), source=source(), now=now())
    except NotFresh as error:
        raise NotFresh(detail=error.detail, return_to=address) from error
    except NotFound:
        return see_other(address)  # in another tab, or by a second press: the list shows what there is
    except (Refused, Conflict) as error:
        return security_page(error)
    return done(_SECURITY, "identity-unlinked")


ROUTES = (
    ("/account/security/identities/link", "POST", identity_link_post),
    ("/account/security/identities/unlink", "POST", identity_unlink_post),
)
