"""Client logos: fetched once, checked, stored, and served by ourselves.

A login page that loads a picture from somewhere else tells that place who signs in when
(row R13), so pages only ever show our copy.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.errors import IdpError
from idp.http import HttpClient
from idp.storage import ClientLogoRow, Repositories

MAX_BYTES: Final = 256 * 1024
_OK: Final = 200

_ACCEPT: Final = "image/png, image/jpeg, image/webp, image/gif"


class LogoUnusable(IdpError):
    """The logo could not be fetched, is too large, or is no picture we show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture and its type, as we found it out ourselves."""

    uri: str
    content_type: str
    body: bytes


class Logos:
    """The stored copies. Callers hold the transaction."""

    def __init__(self, repos: Repositories) -> None:
        self._logos = repos.logos

    def find(self, client_id: str) -> Logo | None:
        """The client's logo, or None."""
        row = self._logos.get(client_id)
        return None if row is None else Logo(uri=row.uri, content_type=row.content_type, body=row.body)

    def save(self, client_id: str, logo: Logo, now: datetime) -> None:
        """Store the logo in place of an earlier one."""
        self._logos.save(
            ClientLogoRow(
                client_id=client_id,
                uri=logo.uri,
                content_type=logo.content_type,
                body=logo.body,
                fetched_at=now,
            )
        )

    def delete(self, client_id: str) -> None:
        """Forget the logo, if there is one."""
        self._logos.delete(client_id)


def fetch_logo(http: HttpClient, uri: str) -> Logo:
    """Fetch a logo through the guarded egress. Call it outside of any transaction.

    The type comes from the first bytes, never from the server's word: an SVG or HTML file
    called image/png would be a script on our own pages.

    Raises:
        LogoUnusable: with a public text that says why.
    """
    try:
        answer = http.get(uri, accept=_ACCEPT, max_bytes=MAX_BYTES)
    except IdpError as error:
        raise LogoUnusable(
            f"The logo could not be fetched: {error.description}", detail=error.detail
        ) from error
    if answer.status != _OK:
        raise LogoUnusable(f"The logo could not be fetched: the server answered {answer.status}.")
    if len(answer.body) > MAX_BYTES:
        raise LogoUnusable("The logo is larger than 256 KiB.")
    content_type = sniff_image(answer.body)
    if content_type is None:
        raise LogoUnusable("The logo must be a PNG, JPEG, WebP or GIF picture.")
    return Logo(uri=uri, content_type=content_type, body=answer.body)


def sniff_image(body: bytes) -> str | None:
    """The picture's media type by its signature; None for anything we do not show.

    Source: WHATWG MIME Sniffing §6.1.
    """
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body[:4] == b"RIFF" and body[8:14] == b"WEBPVP":
        return "image/webp"
    return None
