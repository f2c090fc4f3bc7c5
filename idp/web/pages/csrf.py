"""Protection of forms against other sites (row S8): a token, and where the request comes from.

The token is a MAC whose key is the browser cookie and whose message names the session, so it
needs no table, is the same on every worker, and dies with either. Another site knows neither:
both cookies are ``HttpOnly``, and ``__Host-`` keeps a sibling host from planting them.
"""

import hmac
import secrets
from collections.abc import Iterable

from flask import Request

from idp.crypto import b64url_decode, b64url_encode, constant_time_equal, token_digest
from idp.errors import Refused
from idp.languages import marked

FIELD = "csrf_token"
"""Name of the hidden form field."""

CROSS_SITE_BY_DESIGN = frozenset(
    {"pages.authorize_post", "pages.logout_post", "pages.federation_callback_post"}
)
"""Endpoints that other sites post to; they change nothing and answer with a redirect to GET."""

SIGN_IN = frozenset(
    {
        "pages.plain_login_post",
        "pages.interaction.login_post",
        "pages.plain_verify_post",
        "pages.interaction.verify_post",
        "pages.passkey_options",
        "pages.passkey_sign_in",
        "pages.federation_start",
    }
)
"""Forms that stay good when the person signs in elsewhere: in another tab, or by a second press."""

_SALT_SIZE = 16
_SAME_SITE = frozenset({"same-origin", "none"})  # none: the person repeats a form by reloading


class StaleForm(Refused):
    """A form that this browser and session did not get from us, or no longer hold."""

    def __init__(self, *, detail: str) -> None:
        super().__init__(marked("Open it again and repeat your last step."), detail=detail)


def new_token(*, browser: str, session: str | None) -> str:
    """A token for one form.

    Args:
        browser: value of the browser cookie.
        session: value of the session cookie; ``None`` when nobody is signed in.
    """
    # A fresh salt each time, so that a compressed page gives nothing away by its length.
    salt = secrets.token_bytes(_SALT_SIZE)
    return b64url_encode(salt + _mac(salt, browser, session))


def assert_token(token: str, *, browser: str, sessions: Iterable[str | None]) -> None:
    """Check a token that came back with a form.

    Args:
        token: the field of the form.
        browser: value of the browser cookie.
        sessions: the session cookies it may have been made for; ``None`` among them accepts a
            form that was made before anybody signed in.

    Raises:
        StaleForm: missing, malformed, or made for another browser or session.
    """
    try:
        raw = b64url_decode(token)
    except ValueError as error:
        raise StaleForm(detail="form token malformed") from error
    salt, mac = raw[:_SALT_SIZE], raw[_SALT_SIZE:]
    if not any(constant_time_equal(mac, _mac(salt, browser, session)) for session in sessions):
        raise StaleForm(detail="form token missing or of another session")


def assert_same_origin(request: Request, *, issuer_origin: str) -> None:
    """Check what the browser says about the page that holds the form.

    ``Sec-Fetch-Site`` decides where it exists. Older browsers send ``Origin``, which our own
    ``Referrer-Policy: no-referrer`` turns into ``null``; then the token alone decides.

    Raises:
        StaleForm: another origin, also one of the same site.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in _SAME_SITE:
            raise StaleForm(detail=f"form posted from {site[:20]}")
        return
    origin = request.headers.get("Origin")
    if origin in {None, "null", issuer_origin} or (origin or "").partition("://")[2] == request.headers.get(
        "Host"
    ):
        return
    raise StaleForm(detail="form posted from another origin")


def _mac(salt: bytes, browser: str, session: str | None) -> bytes:
    key = token_digest("csrf_browser", browser)
    who = token_digest("csrf_session", session or "")
    return hmac.digest(key, salt + who, "sha256")
