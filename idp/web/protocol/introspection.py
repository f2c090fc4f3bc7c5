"""The introspection endpoint. Source: RFC 7662 §2."""

from flask import Response

from idp.web.context import container
from idp.web.protocol.answer import answer


def introspect() -> Response:
    """Tell a resource server what a token is worth."""
    return answer(container().oauth.introspect)
