"""The revocation endpoint. Source: RFC 7009 §2."""

from flask import Response

from idp.web.context import container
from idp.web.protocol.answer import answer


def revoke() -> Response:
    """Let a client give back a token."""
    return answer(container().oauth.revoke)
