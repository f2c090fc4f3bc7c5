"""Where other providers say that somebody is signed out there.

Source: OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8.
"""

from http import HTTPStatus

from werkzeug.exceptions import BadRequest

from idp.container import Container
from idp.federation import UpstreamRefused
from idp.web.body import first, read_form
from idp.web.context import source_of
from idp.web.wire import JSON_HEADERS, Answer, Environ, json_answer

PATH = "/federation/<provider_id>/backchannel-logout"


def is_upstream_logout(path: str) -> bool:
    """Whether this address is one of these, so that errors at it are JSON."""
    return path.startswith("/federation/") and path.endswith("/backchannel-logout")


class UpstreamLogoutEndpoint:
    """The endpoint of one provider.

    Args:
        container: gives the flow, the clock and the settings.
        provider_id: as in the address.
    """

    def __init__(self, container: Container, provider_id: str) -> None:
        self._container = container
        self._provider_id = provider_id

    def __call__(self, environ: Environ) -> Answer:
        """An empty object, or what was wrong with the token.

        Raises:
            BadRequest: no token, or a query string (row T13).
            Unavailable: the provider's keys, or the database, cannot be had.
            Refused: too many bad tokens from this source.
        """
        here = self._container
        if environ.get("QUERY_STRING"):
            raise BadRequest("Parameters belong in the request body; this endpoint takes none in the URL.")
        token = first(read_form(environ, limit=here.settings.server.max_body_bytes), "logout_token")
        if not token:
            raise BadRequest("The logout_token parameter is missing.")
        here.feed.assert_available()
        source = source_of(environ, trusted_hops=here.settings.proxy.trusted_hops)
        try:
            here.upstream_logout.receive(self._provider_id, token, source=source, now=here.clock.now())
        except UpstreamRefused:
            body = {"error": "invalid_request", "error_description": "The logout token is not valid."}
            return json_answer(HTTPStatus.BAD_REQUEST, body)
        return json_answer(HTTPStatus.OK, {}, JSON_HEADERS)
