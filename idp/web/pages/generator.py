"""What a page shows of a generator that is being set up."""

from importlib import import_module
from typing import Any, Final

from idp.crypto import Secret
from idp.web.pages.locale import gettext

_QR: Final = "idp.web.pages.qr"
"""By name, because most workers never draw one; see there."""

_GROUP: Final = 4


def setup_values(*, secret: Secret[str], uri: Secret[str]) -> dict[str, Any]:
    """What ``security/totp_setup.html`` shows, but for the trouble there was."""
    text = secret.reveal()
    label = gettext("QR code for your authenticator app")
    return {
        "picture": import_module(_QR).qr_svg(uri.reveal(), label=label),
        # In fours, as it is easier to read and to type; the page sets them apart, and copies them as one.
        "groups": [text[start : start + _GROUP] for start in range(0, len(text), _GROUP)],
        "uri": uri.reveal(),
    }
