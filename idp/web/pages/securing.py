"""Pages that links in mails lead to: "this was not me", and the way back to a former address."""

from typing import Final

from flask import Response

from idp.accounts import Notice
from idp.errors import Conflict, NotFound, Refused, Unavailable
from idp.languages import date_and_time, marked
from idp.web.context import container, now, source
from idp.web.pages.locale import gettext, language
from idp.web.pages.render import page
from idp.web.pages.trouble import trouble_of

_HAPPENED: Final = {
    Notice.NEW_DEVICE: marked("Somebody signed in from a device that was not known."),
    Notice.PASSWORD_CHANGED: marked("The password was changed."),
    Notice.PASSWORD_RESET: marked("The password was replaced by way of a link."),
    Notice.PASSKEY_ADDED: marked("A passkey was added."),
    Notice.PASSKEY_REMOVED: marked("A passkey was removed."),
    Notice.TOTP_ADDED: marked("An authenticator app was set up."),
    Notice.TOTP_REMOVED: marked("The authenticator app was removed."),
    Notice.RECOVERY_CODES_CREATED: marked("New recovery codes were made."),
    Notice.RECOVERY_CODE_USED: marked("A recovery code was used."),
    Notice.CODE_FACTOR_ADDED: marked("Codes by e-mail or SMS were set up."),
    Notice.CODE_FACTOR_REMOVED: marked("Codes by e-mail or SMS were switched off."),
    Notice.SECOND_STEP_FAILED: marked("Wrong codes were entered at the second step."),
    Notice.EMAIL_CHANGED: marked("The e-mail address was changed."),
    Notice.PHONE_CHANGED: marked("The telephone number was changed."),
    Notice.DELETION_REQUESTED: marked("Somebody asked for the account to be deleted."),
}


def not_me(token: str) -> Response:
    """Show what happened, and what the button does; the link is not used up by being opened (row S9)."""
    try:
        objection = container().securing.look_at_objection(token, now())
    except NotFound as error:
        return _dead(error)
    happened = _HAPPENED.get(objection.notice, marked("Something was changed in the account."))
    return page(
        "securing/not_me.html",
        username=objection.username,
        happened=gettext(happened),
        at=date_and_time(objection.happened_at, language()),
    )


def not_me_post(token: str) -> Response:
    """Secure the account."""
    try:
        mailed = container().securing.secure(token, locale=language(), source=source(), now=now())
    except NotFound as error:
        return _dead(error)
    except (Refused, Unavailable) as error:
        return _wait(error)
    return page("securing/secured.html", mailed=mailed, restored=False)


def undo_email(token: str) -> Response:
    """Show which address the button brings back."""
    try:
        former = container().securing.look_at_former_address(token, now())
    except NotFound as error:
        return _dead(error)
    return page("securing/undo_email.html", address=former.address, username=former.username)


def undo_email_post(token: str) -> Response:
    """Bring the address back, and secure the account."""
    try:
        mailed = container().securing.restore_address(token, locale=language(), source=source(), now=now())
    except NotFound as error:
        return _dead(error)
    except Conflict:
        message = gettext("Another account has this address by now. Please ask whoever runs this service.")
        return page("recovery/dead.html", status=409, trouble={"message": message}, again="/recover")
    except (Refused, Unavailable) as error:
        return _wait(error)
    return page("securing/secured.html", mailed=mailed, restored=True)


def _dead(error: NotFound) -> Response:
    message = {"message": gettext(error.description)}
    return page("recovery/dead.html", status=404, trouble=message, again="/recover")


def _wait(error: Refused | Unavailable) -> Response:
    trouble = trouble_of(error)
    return page(
        "recovery/dead.html", status=trouble.status, headers=trouble.headers, trouble=trouble, again=None
    )


ROUTES = (
    ("/not-me/<token>", "GET", not_me),
    ("/not-me/<token>", "POST", not_me_post),
    ("/undo-email/<token>", "GET", undo_email),
    ("/undo-email/<token>", "POST", undo_email_post),
)
