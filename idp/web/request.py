"""From the web framework's request to the protocol's own."""

from flask import request
from werkzeug.exceptions import BadRequest

from idp.oauth import OAuthRequest
from idp.web.body import read_form
from idp.web.context import source


def oauth_request() -> OAuthRequest:
    """The current request for a back-channel endpoint: form body and Authorization header only.

    Cookies are not passed on, and neither is the address, which may hold a host name of anybody's choice.

    Raises:
        BadRequest: a query string (row T13: tokens and codes never travel in one), or a
            malformed body; see :func:`idp.web.body.read_form` for its other errors.
    """
    if request.environ.get("QUERY_STRING"):
        raise BadRequest("Parameters belong in the request body; this endpoint takes none in the URL.")
    form = read_form(request) if request.method == "POST" else ()
    authorization = request.environ.get("HTTP_AUTHORIZATION")
    return OAuthRequest(
        method=request.method,
        headers={} if authorization is None else {"Authorization": authorization},
        form=form,
        source=source(),
    )
