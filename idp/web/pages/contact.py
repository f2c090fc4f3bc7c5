"""``/account/email`` and ``/account/phone``, and the links that prove an address."""

from typing import Any, Final

from flask import Response

from idp.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from idp.selfservice import Contact, ContactChanges, NotFresh
from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import account_page, signed_in
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, language
from idp.web.pages.notice import done
from idp.web.pages.render import page
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.responses import see_other

_ADDRESSES: Final = {Contact.EMAIL: "/account/email", Contact.PHONE: "/account/phone"}


def email() -> Response:
    """The address, and the form for another."""
    return _show(Contact.EMAIL)


def email_post() -> Response:
    """Send a code to the new address, or a link to the one that is there."""
    if form_value("action") != "verify":
        return _begin(Contact.EMAIL)
    try:
        _changes().send_verification(signed_in(), locale=language(), source=source(), now=now())
    except (Refused, Unavailable) as error:
        return _form(Contact.EMAIL, trouble=trouble_of(error))
    return done("/account/email", "verification-sent")


def email_confirm() -> Response:
    """The form for the code."""
    return _ask(Contact.EMAIL)


def email_confirm_post() -> Response:
    """Take the code."""
    return _confirm(Contact.EMAIL)


def phone() -> Response:
    """The number, and the form for another."""
    return _show(Contact.PHONE)


def phone_post() -> Response:
    """Send a code to the new number."""
    return _begin(Contact.PHONE)


def phone_confirm() -> Response:
    """The form for the code."""
    return _ask(Contact.PHONE)


def phone_confirm_post() -> Response:
    """Take the code."""
    return _confirm(Contact.PHONE)


def verify_email(token: str) -> Response:
    """Show which address the button confirms; the link is not used up by being opened (row S9)."""
    try:
        address, username = _changes().look_at_verification(token, now())
    except NotFound as error:
        return _dead(error)
    return page("contact/verify.html", address=address, username=username)


def verify_email_post(token: str) -> Response:
    """Confirm the address."""
    try:
        _changes().verify(token, source=source(), now=now())
    except NotFound as error:
        return _dead(error)
    return page("contact/verified.html")


def _changes() -> ContactChanges:
    return container().selfservice.contact


def _show(contact: Contact) -> Response:
    session = signed_in()
    # Before anything is typed, so that nothing of it is lost to the proof.
    _changes().assert_fresh(session, now())
    return _form(contact)


def _begin(contact: Contact) -> Response:
    typed = form_value(contact.value)
    try:
        _changes().begin(signed_in(), contact, typed, locale=language(), source=source(), now=now())
    except NotFresh as error:
        raise _back(error, contact) from error
    except (Invalid, Refused, Unavailable) as error:
        return _form(contact, typed=typed, trouble=trouble_of(error))
    return see_other(f"{application().path_prefix}{_ADDRESSES[contact]}/confirm")


def _ask(contact: Contact, *, trouble: Trouble | None = None) -> Response:
    target = _changes().waiting(signed_in(), contact, now())
    if target is None:
        return see_other(f"{application().path_prefix}{_ADDRESSES[contact]}")
    return _page("contact/confirm.html", contact, trouble, target=target)


def _confirm(contact: Contact) -> Response:
    try:
        _changes().confirm(
            signed_in(), contact, form_value("code"), locale=language(), source=source(), now=now()
        )
    except NotFresh as error:
        raise _back(error, contact) from error
    except Conflict as error:
        return _form(contact, trouble=Trouble(status=409, message=gettext(error.description)))
    except NotFound as error:
        return _form(contact, trouble=Trouble(status=422, message=gettext(error.description)))
    except Invalid as error:
        trouble = Trouble(status=422, message=gettext(error.description), field=error.field)
        return _ask(contact, trouble=trouble)
    return done("/account", f"{contact.value}-changed")


def _form(contact: Contact, *, typed: str = "", trouble: Trouble | None = None) -> Response:
    return _page(
        "contact/change.html", contact, trouble, typed=typed, can_change=_changes().can_change(contact)
    )


def _page(template: str, contact: Contact, trouble: Trouble | None, **values: Any) -> Response:
    return account_page(
        template,
        section="profile",
        status=200 if trouble is None else trouble.status,
        contact=contact.value,
        address=_ADDRESSES[contact],
        trouble=trouble,
        **values,
    )


def _back(error: NotFresh, contact: Contact) -> NotFresh:
    return NotFresh(detail=error.detail, return_to=f"{application().path_prefix}{_ADDRESSES[contact]}")


def _dead(error: NotFound) -> Response:
    message = {"message": gettext(error.description)}
    return page("recovery/dead.html", status=404, trouble=message, again=None)


ROUTES = (
    ("/account/email", "GET", email),
    ("/account/email", "POST", email_post),
    ("/account/email/confirm", "GET", email_confirm),
    ("/account/email/confirm", "POST", email_confirm_post),
    ("/account/phone", "GET", phone),
    ("/account/phone", "POST", phone_post),
    ("/account/phone/confirm", "GET", phone_confirm),
    ("/account/phone/confirm", "POST", phone_confirm_post),
    ("/verify-email/<token>", "GET", verify_email),
    ("/verify-email/<token>", "POST", verify_email_post),
)
