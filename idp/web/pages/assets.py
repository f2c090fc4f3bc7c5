"""Style sheet, script, icons and logos: all from our own origin.

The files are read at start-up and served from memory.

Addresses carry a fingerprint of the content, so browsers may keep them for good and still
never show an old one.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, request

from idp.settings import Settings, SettingsError
from idp.web.context import container
from idp.web.pages.theme import Accent, accent

_FOLDER = Path(__file__).resolve().parents[1] / "static"
_EXTENSION = "idp.assets"
_IMAGE_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_SIX_DIGITS = re.compile(r"[0-9a-f]{6}")
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

assets = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file."""

    body: bytes
    content_type: str
    version: str


def prepare_assets(app: Flask, settings: Settings) -> None:
    """Read the files, and give templates ``asset()`` and ``has_brand_logo``.

    Raises:
        SettingsError: the configured logo cannot be read.
    """
    colours = accent(settings.pages.accent)
    files = {
        "site.css": _asset(
            colours.css().encode() + (_FOLDER / "site.css").read_bytes(), "text/css; charset=utf-8"
        ),
        **{
            script.name: _asset(script.read_bytes(), "text/javascript; charset=utf-8")
            for script in sorted(_FOLDER.glob("*.js"))
        },
        "icon.svg": _asset(_icon(colours), "image/svg+xml"),
    }
    logo = settings.pages.logo_file
    if logo is not None:
        files["brand"] = _logo(logo)
    app.extensions[_EXTENSION] = files
    # Built once: every page names three of them, and url_for takes 15 µs for each.
    addresses = {
        name: f"{settings.issuer_path}/static/{name}?v={file.version}" for name, file in files.items()
    }
    app.jinja_env.globals["asset"] = addresses.__getitem__
    app.jinja_env.globals["has_brand_logo"] = logo is not None


@assets.get("/static/<name>")
def serve(name: str) -> Response:
    """One static file. Cookies are neither read nor set here."""
    asset = _files().get(name)
    if asset is None:
        abort(404)
    if request.args.get("v") == asset.version:
        return _cacheable(asset, "public, max-age=31536000, immutable")
    return _cacheable(asset, "public, max-age=300")


@assets.get("/accents/<colour>.css")
def client_accent(colour: str) -> Response:
    """A style sheet that sets the accent colour, made readable; its address says all of it."""
    if not _SIX_DIGITS.fullmatch(colour):
        abort(404)
    sheet = _asset(accent(colour).css().encode(), "text/css; charset=utf-8")
    return _cacheable(sheet, "public, max-age=31536000, immutable")


@assets.get("/logos/<path:client_id>")
def client_logo(client_id: str) -> Response:
    """Our copy of a client's logo (row R13: pages load nothing from elsewhere)."""
    here = container()
    with here.database.transaction(write=False):
        row = here.repos.logos.get(client_id)
        if row is None:
            abort(404)
        asset = _asset(row.body, row.content_type)
    return _cacheable(asset, "private, max-age=3600")


def _cacheable(asset: Asset, cache_control: str) -> Response:
    """An answer with an ETag, and a policy that lets an SVG do nothing but be seen."""
    response = Response(asset.body, content_type=asset.content_type)
    response.headers["Cache-Control"] = cache_control
    response.headers["Content-Security-Policy"] = _SANDBOX
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(asset.version)
    response.make_conditional(request)
    return response


def _files() -> dict[str, Asset]:
    return cast("dict[str, Asset]", current_app.extensions[_EXTENSION])


def _asset(body: bytes, content_type: str) -> Asset:
    return Asset(body=body, content_type=content_type, version=hashlib.sha256(body).hexdigest()[:16])


def _logo(path: Path) -> Asset:
    try:
        return _asset(path.read_bytes(), _IMAGE_TYPES[path.suffix.lower()])
    except OSError as error:
        raise SettingsError([f"pages.logo_file: {path} cannot be read: {error.strerror}"]) from error


def _icon(colours: Accent) -> bytes:
    """The icon of the browser tab: a keyhole in the accent colour."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="9" fill="{colours.light}"/>'
        '<path fill="#fff" d="M16 7a5.5 5.5 0 0 0-2.6 10.35L12 25h8l-1.4-7.65A5.5 5.5 0 0 0 16 7z"/></svg>'
    ).encode()
