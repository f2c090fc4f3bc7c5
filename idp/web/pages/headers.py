"""Security headers of every page (rows S10 to S12, R13)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Response

_HSTS = "max-age=63072000"  # two years
_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)

_FIXED = (
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", _PERMISSIONS),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST_AND_PORT = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?")


def content_security_policy(*, nonce: str | None = None, form_targets: Iterable[str] = ()) -> str:
    """The policy of one page: nothing but our own styles and images, and scripts with the nonce.

    Args:
        nonce: value of the ``nonce`` attribute of this page's scripts; ``None`` for no scripts.
        form_targets: URIs that a form may end at besides ourselves. Browsers apply
            ``form-action`` to the redirects after a form, so a page of an interaction names the
            client's redirect URI.

    Source: CSP Level 3 §6.4.1 (``form-action``).
    """
    targets = " ".join(
        dict.fromkeys(["'self'", *(source for source in map(csp_source, form_targets) if source)])
    )
    # Scripts ask ourselves alone: for the options of a passkey, and how strong a password is.
    script = f"script-src 'nonce-{nonce}'; connect-src 'self'; " if nonce else ""
    return (
        f"default-src 'none'; {script}style-src 'self'; img-src 'self'; form-action {targets}; "
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )


def csp_source(uri: str) -> str | None:
    """The origin of a URI as CSP writes it; the scheme alone where CSP cannot name the host.

    That is so for private schemes (``com.example.app:``) and for IPv6 addresses, which the
    grammar of host sources leaves out. ``None`` for text that is no URI.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if not _SCHEME.fullmatch(parts.scheme):
        return None
    if parts.scheme in {"https", "http"} and _HOST_AND_PORT.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def page_headers(policy: str, *, https: bool) -> list[tuple[str, str]]:
    """The headers of a page that has this content security policy."""
    headers = [*_FIXED, ("Content-Security-Policy", policy)]
    if https:
        headers.append(("Strict-Transport-Security", _HSTS))
    return headers


def add_page_headers(response: Response, *, https: bool) -> Response:
    """Give a redirect between pages, or an answer from elsewhere, the headers it does not have yet."""
    present = {name.lower() for name, _ in response.headers}
    for name, value in _PLAIN[https]:
        if name.lower() not in present:
            response.headers.add(name, value)
    return response


def add_sign_out_headers(response: Response) -> None:
    """Make the browser drop what it kept of us.

    ``cookies`` is left out: it would also drop the mark of a known device, which protects the
    account's owner from being locked out (row L3). The session cookie is cleared by name.
    """
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


_PLAIN = {https: page_headers(content_security_policy(), https=https) for https in (False, True)}
