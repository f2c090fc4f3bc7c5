"""What was just done, said once on the page that follows a form.

A form that succeeded redirects to a page, and the address carries the name of a text. The name says nothing
about anybody, and who makes up an address gets one of these texts or none.
"""

from collections.abc import Mapping
from typing import Final

from flask import Response, request

from idp.languages import marked
from idp.web.context import application
from idp.web.pages.locale import gettext
from idp.web.responses import see_other

FIELD: Final = "notice"
"""The parameter of the address."""


NOTICES: Final[Mapping[str, str]] = {
    "code-factor-added": marked("Codes are sent to you when you sign in."),
    "code-factor-added-codes-next": marked(
        "Codes are sent to you when you sign in. Now make recovery codes, for the day you lose your device."
    ),
    "code-factor-removed": marked("No codes are sent any more."),
    "code-factor-and-codes-removed": marked(
        "No codes are sent any more. Your recovery codes are gone too: there is no second step left."
    ),
    "devices-forgotten": marked("Every device is asked for the second step again."),
    "totp-added": marked("Your authenticator app is set up."),
    "totp-added-codes-next": marked(
        "Your authenticator app is set up. Now make recovery codes, for the day you lose your device."
    ),
    "totp-removed": marked("Your authenticator app is removed."),
    "totp-and-codes-removed": marked(
        "Your authenticator app is removed, and your recovery codes with it: there is no second step left."
    ),
    "passkey-added": marked("Your passkey is ready. Use it the next time you sign in."),
    "passkey-renamed": marked("The name is changed."),
    "passkey-removed": marked("The passkey is removed. It does not sign in anybody any more."),
    "identity-linked": marked("The account elsewhere is linked. Use it the next time you sign in."),
    "identity-unlinked": marked("The link is removed. Nobody signs in with it any more."),
    "email-changed": marked("Your e-mail address is changed."),
    "phone-changed": marked("Your telephone number is changed."),
    "verification-sent": marked("We have mailed you a link. Open it to confirm the address."),
    "username-changed": marked("Your username is changed. Use it the next time you sign in."),
    "profile-saved": marked("Your profile is saved."),
    "session-ended": marked("You are signed out there."),
    "sessions-ended": marked("You are signed out everywhere else."),
    "password-changed": marked("Your new password is set."),
    "password-changed-others-ended": marked(
        "Your new password is set, and you are signed out everywhere else."
    ),
    "account-kept": marked("Your account stays. Nothing will be deleted."),
    "access-stopped": marked("The application has no access to your account any more."),
}
"""Texts by the name that stands in an address."""


def notice() -> str | None:
    """The text that the address of this page names, in the page's language."""
    text = NOTICES.get(request.args.get(FIELD, ""))
    return None if text is None else gettext(text)


def done(path: str, name: str) -> Response:
    """Redirect to a page of ours that says what was done.

    Args:
        path: address without the issuer's path, such as ``/account``.
        name: of the text, a key of ``NOTICES``.
    """
    return see_other(f"{application().path_prefix}{path}?{FIELD}={name}")
