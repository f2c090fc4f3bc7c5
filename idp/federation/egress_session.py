"""Authlib's client speaks through the one egress: the few members of a requests session that it uses.

Source: ``authlib.oauth2.client.OAuth2Client``, which posts forms and reads ``status_code``, ``json()`` and
``raise_for_status()`` of the answer.
"""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from idp.errors import Refused, Unavailable
from idp.federation.errors import UpstreamUnavailable
from idp.http import HttpClient, HttpResponse

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class RequestSigner(Protocol):
    """Authlib's ``ClientAuth`` as far as it is used here."""

    def prepare(
        self, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]:
        """Address, headers and body with the client's credentials in them."""
        ...


class EgressAnswer:
    """What an endpoint of a provider said.

    Args:
        response: as the egress read it.
        endpoint: the endpoint's name in reason codes, for example ``token_endpoint``.
    """

    def __init__(self, response: HttpResponse, endpoint: str) -> None:
        self._response = response
        self._endpoint = endpoint
        self.status_code = response.status

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is something else, for example a page.
        """
        return orjson.loads(self._response.body)

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            UpstreamUnavailable: it is something else.
        """
        try:
            content = self.json()
        except ValueError as error:
            raise UpstreamUnavailable(f"{self._endpoint}_not_json") from error
        if not isinstance(content, dict):
            raise UpstreamUnavailable(f"{self._endpoint}_not_json")
        return content

    def raise_for_status(self) -> None:
        """Do nothing for a success.

        Raises:
            UpstreamUnavailable: every other status.
        """
        if not 200 <= self.status_code < 300:  # noqa: PLR2004 - success (RFC 9110 §15.3)
            raise UpstreamUnavailable(f"{self._endpoint}_status_{self.status_code}")


class EgressSession:
    """Sends the requests of one exchange with one endpoint.

    Args:
        http: the one egress.
        endpoint: its name in reason codes.
    """

    def __init__(self, http: HttpClient, endpoint: str) -> None:
        self._http = http
        self._endpoint = endpoint

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: RequestSigner
    ) -> EgressAnswer:
        """Post a form with the client's credentials.

        Raises:
            UpstreamUnavailable: no answer within the limits, or an address that must not be asked.
        """
        # A copy: Authlib passes one dictionary for all requests, and its methods write the credentials into
        # it.
        url, sent, body = auth.prepare(
            "POST", url, {**headers, "Content-Type": _FORM}, urlencode(list(data.items()))
        )
        accept = sent.pop("Accept", _JSON)
        try:
            response = self._http.post(url, body.encode(), headers=sent, accept=accept)
        except (Refused, Unavailable) as error:
            raise unreachable(self._endpoint, error) from error
        return EgressAnswer(response, self._endpoint)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> EgressAnswer:
        """Fetch an address that the operator or their provider named.

        Raises:
            UpstreamUnavailable: as :meth:`post`.
        """
        try:
            response = self._http.get(url, accept=_JSON, headers=headers)
        except (Refused, Unavailable) as error:
            raise unreachable(self._endpoint, error) from error
        return EgressAnswer(response, self._endpoint)


def unreachable(endpoint: str, error: Refused | Unavailable) -> UpstreamUnavailable:
    """The egress's error with the endpoint's name; a refused address is told apart from a silent one."""
    kind = "address_refused" if isinstance(error, Refused) else "unreachable"
    return UpstreamUnavailable(f"{endpoint}_{kind}")
