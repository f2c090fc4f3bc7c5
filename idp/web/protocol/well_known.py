"""Well-known addresses about passwords and passkeys, which password managers ask.

They stand at the root of the host, wherever the issuer's path begins. Sources: WebAuthn Level 3 §5.11.1
(``webauthn``), "A Well-Known URL for Relying Party Passkey Endpoints" (W3C), "A Well-Known URL for
Changing Passwords" (W3C).
"""

import hashlib
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import orjson

from idp.container import Container
from idp.web.application import Application
from idp.web.protocol.documents import Document, DocumentEndpoint, prepared
from idp.web.protocol.endpoint import Guarded
from idp.web.wire import Answer, Endpoint, Environ

WEBAUTHN: Final = "/.well-known/webauthn"
PASSKEY_ENDPOINTS: Final = "/.well-known/passkey-endpoints"
CHANGE_PASSWORD: Final = "/.well-known/change-password"

_MAX_AGE: Final = timedelta(hours=1)


def add_well_known(app: Application, container: Container) -> None:
    """Put the addresses into the application."""
    issuer = container.settings.issuer
    party = container.passkeys.party
    manage = f"{issuer}/account/security"
    addresses: list[tuple[str, Endpoint]] = [
        (CHANGE_PASSWORD, _redirect_to(f"{issuer}/account/password")),
    ]
    if container.passkeys.available:
        addresses += [
            (WEBAUTHN, _document({"origins": list(party.origins)})),
            (PASSKEY_ENDPOINTS, _document({"enroll": manage, "manage": manage})),
        ]
    for path, endpoint in addresses:
        app.add_endpoint(path, f"well-known {path}", Guarded(endpoint, app.edge, ()), ["GET"])


def _document(content: dict[str, Any]) -> Endpoint:
    body = orjson.dumps(content)
    document: Document = prepared(
        body, etag=hashlib.sha256(body).hexdigest()[:32], max_age=int(_MAX_AGE.total_seconds())
    )
    return DocumentEndpoint(lambda: document)


def _redirect_to(address: str) -> Endpoint:
    """A redirect that must not be kept, because the page behind it may move."""
    answer = Answer(HTTPStatus.FOUND, (("Location", address), ("Cache-Control", "no-store")), b"")

    def redirected(environ: Environ) -> Answer:
        del environ
        return answer

    return redirected
