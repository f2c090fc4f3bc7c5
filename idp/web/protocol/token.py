"""The token endpoint. Source: RFC 6749 §3.2."""

from flask import Response

from idp.web.context import container
from idp.web.protocol.answer import answer


def token() -> Response:
    """Exchange a grant for tokens."""
    return answer(container().oauth.token)
