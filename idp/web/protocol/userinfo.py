"""The userinfo endpoint. Source: OpenID Connect Core §5.3."""

from flask import Response

from idp.web.context import container
from idp.web.protocol.answer import answer


def userinfo() -> Response:
    """Claims about the person an access token speaks for."""
    return answer(container().oauth.userinfo)
