"""The requests that we make of a provider for one sign-in: push, exchange the code, ask for the person.

Authlib's framework-free client builds requests and reads answers; the egress sends them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from idp.federation.client_authentication import client_authentication
from idp.federation.departures import DepartureRecord
from idp.federation.egress_session import EgressAnswer, EgressSession
from idp.federation.errors import UpstreamRefused, UpstreamUnavailable
from idp.federation.metadata import Endpoints
from idp.federation.provider import Provider
from idp.http import HttpClient

_REFUSALS = {
    "invalid_grant": "code_refused",
    "bad_verification_code": "code_refused",
    "invalid_code": "code_refused",
    "code_already_used": "code_refused",
    "invalid_client": "client_refused",
    "unauthorized_client": "client_refused",
    "incorrect_client_credentials": "client_refused",
    "invalid_client_id": "client_refused",
    "bad_client_secret": "client_refused",
    "redirect_uri_mismatch": "redirect_uri_refused",
    "bad_redirect_uri": "redirect_uri_refused",
}
"""Errors of token endpoints that an operator can act upon; GitHub's and Slack's own words among them."""
_LONGEST_ACCESS_TOKEN = 16384
_NOT_ALLOWED = frozenset({401, 403})


class Exchange:
    """One journey's requests to one provider.

    Args:
        http: the one egress.
        provider: whom to ask.
        endpoints: where.
        redirect_uri: ours for this provider.
        now: aware UTC; when assertions are made.
    """

    def __init__(
        self, http: HttpClient, provider: Provider, endpoints: Endpoints, *, redirect_uri: str, now: datetime
    ) -> None:
        self._http = http
        self._provider = provider
        self._endpoints = endpoints
        self._redirect_uri = redirect_uri
        self._now = now

    def authorization_url(self, parameters: Mapping[str, str], *, state: str, code_verifier: str) -> str:
        """Where to send the browser; the request itself is pushed before, if the provider wants it so.

        Raises:
            UpstreamUnavailable: pushing fails.
        """
        endpoint = self._endpoints.authorization_endpoint
        pushes = self._provider.use_par or self._endpoints.requires_par
        client = self._client("par_endpoint" if pushes else "token_endpoint")
        verifier = code_verifier if self._provider.pkce else None
        if not pushes:
            return _url(client.create_authorization_url(endpoint, state, verifier, **parameters))
        # The same parameters, taken out of an address that nobody visits.
        made = _url(client.create_authorization_url("", state, verifier, **parameters))
        request_uri = self._push(client, dict(parse_qsl(urlsplit(made).query)))
        pushed: str = add_params_to_uri(
            endpoint, [("client_id", self._provider.client_id), ("request_uri", request_uri)]
        )
        return pushed

    def tokens(self, code: str, record: DepartureRecord) -> dict[str, Any]:
        """The token response for a code (RFC 6749 §4.1.3).

        Raises:
            UpstreamRefused: the provider does not take the code, or us.
            UpstreamUnavailable: no usable answer.
        """
        client = self._client("token_endpoint")
        verifier = {"code_verifier": record.code_verifier.reveal()} if self._provider.pkce else {}
        try:
            token = client.fetch_token(
                self._endpoints.token_endpoint, code=code, grant_type="authorization_code", **verifier
            )
        except OAuth2Error as error:
            raise UpstreamRefused(_refusal(error.error)) from None
        except (ValueError, TypeError, OverflowError) as error:
            raise UpstreamUnavailable("token_answer_unusable") from error
        access_token, kind = token.get("access_token"), token.get("token_type", "Bearer")
        if not isinstance(access_token, str) or not _is_token(access_token):
            raise UpstreamUnavailable("token_answer_unusable")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise UpstreamUnavailable("token_type_unknown")
        return dict(token)

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """What the userinfo endpoint says about the person.

        Raises:
            UpstreamRefused: it does not take the access token.
            UpstreamUnavailable: no usable answer.
        """
        if self._endpoints.userinfo_endpoint is None:
            raise UpstreamUnavailable("userinfo_endpoint_missing")
        return self._ask("userinfo", self._endpoints.userinfo_endpoint, access_token).json_object()

    def emails(self, address: str, access_token: str) -> Any:
        """The list at the provider's address for e-mail addresses; ``None`` if it is nothing of that kind.

        Raises:
            UpstreamRefused, UpstreamUnavailable: as :meth:`userinfo`.
        """
        try:
            return self._ask("emails", address, access_token).json()
        except ValueError as error:
            raise UpstreamUnavailable("emails_not_json") from error

    def _ask(self, endpoint: str, address: str, access_token: str) -> EgressAnswer:
        bearer = {"Authorization": f"Bearer {access_token}"}
        answer = EgressSession(self._http, endpoint).get(address, headers=bearer)
        if answer.status_code in _NOT_ALLOWED:
            raise UpstreamRefused(f"{endpoint}_refused")
        answer.raise_for_status()
        return answer

    def _push(self, client: OAuth2Client, pairs: dict[str, str]) -> str:
        """Source: RFC 9126 §2.1, §2.2."""
        if self._endpoints.par_endpoint is None:
            raise UpstreamUnavailable("par_endpoint_missing")
        answer: EgressAnswer = client.session.post(
            self._endpoints.par_endpoint,
            data=pairs,
            headers={"Accept": "application/json"},
            auth=client.client_auth("ours"),
        )
        answer.raise_for_status()
        request_uri = answer.json_object().get("request_uri")
        if not isinstance(request_uri, str) or not request_uri:
            raise UpstreamUnavailable("par_endpoint_unusable")
        return request_uri

    def _client(self, endpoint: str) -> OAuth2Client:
        client = OAuth2Client(
            EgressSession(self._http, endpoint),
            client_id=self._provider.client_id,
            token_endpoint_auth_method="ours",
            scope=" ".join(self._provider.scopes) or None,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
        )
        # Security: for the issuer, so that no provider can use it at another one, whose endpoint it claims as
        # its own (draft-ietf-oauth-rfc7523bis). Who has a gap in its issuer is named by its token endpoint.
        named = self._provider.issuer is not None and "{" not in self._endpoints.issuer
        audience = self._endpoints.issuer if named else self._endpoints.token_endpoint
        method = client_authentication(self._provider, audience, self._now)
        client.register_client_auth_method(("ours", method))
        return client


def _refusal(error: object) -> str:
    return _REFUSALS.get(error, "token_endpoint_error") if isinstance(error, str) else "token_endpoint_error"


def _is_token(value: str) -> bool:
    """Fit for a header field (RFC 6750 §2.1, generously)."""
    return (
        0 < len(value) <= _LONGEST_ACCESS_TOKEN
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _url(made: tuple[str, str]) -> str:
    """The first of what Authlib gives; the second is the state, which we know."""
    return made[0]
