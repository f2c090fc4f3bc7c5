"""Our cookies (row S3): the session, the browser before a session, the known device, a sign-in on its way.

On an https issuer their names start with ``__Host-``, so that no sibling host can set them
and no path narrows them. On a loopback http issuer the prefix would make browsers drop them.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from flask import Request, Response

DEVICE_LIFETIME = timedelta(days=365)
"""How long a browser keeps the mark of a known device; the server may forget it sooner."""

_VALUE = re.compile(r"[A-Za-z0-9_.~-]{16,256}")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of ours.

    Args:
        base_name: its name without prefix.
        lifetime: ``None`` for one that ends with the browser.
    """

    base_name: str
    lifetime: timedelta | None = None

    def name(self, *, secure: bool) -> str:
        """The name on the wire."""
        return f"__Host-{self.base_name}" if secure else self.base_name

    def read(self, request: Request, *, secure: bool) -> str | None:
        """The value the browser sent; ``None`` for none, or one we cannot have made."""
        value = request.cookies.get(self.name(secure=secure))
        return value if value and _VALUE.fullmatch(value) else None

    def write(self, response: Response, value: str, *, secure: bool) -> None:
        """Set the cookie: this host only, no script, not on cross-site sub-requests or posts."""
        response.set_cookie(
            self.name(secure=secure),
            value,
            max_age=self.lifetime,
            path="/",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )

    def clear(self, response: Response, *, secure: bool) -> None:
        """Make the browser forget it."""
        response.delete_cookie(
            self.name(secure=secure), path="/", secure=secure, httponly=True, samesite="Lax"
        )


SESSION = Cookie("idp_session")
"""The browser session's secret. Ends with the browser; the server ends it by time as well."""
BROWSER = Cookie("idp_browser")
"""Binds half-finished requests and form tokens to this browser, before anybody has signed in."""
DEVICE = Cookie("idp_device", lifetime=DEVICE_LIFETIME)
"""Shows that an account signed in here before (row L3); gives no access to anything."""
ATTEMPT = Cookie("idp_attempt")
"""Leads to what has been proved of a sign-in that is not finished."""
BESIDE = Cookie("idp_beside")
"""The secrets of the sessions of other accounts that are signed in in this browser."""
PROVIDERS = Cookie("idp_providers", lifetime=DEVICE_LIFETIME)
"""Ids of the other providers that were used here last, for the order of their buttons; no secret."""
