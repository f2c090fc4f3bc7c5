"""The client credentials grant: a machine asks for itself. Source: RFC 6749 §4.4."""

from collections.abc import Mapping
from typing import Any

import orjson
from authlib.oauth2.rfc6749.errors import UnauthorizedClientError

from idp.oauth.grants.base import Grant
from idp.oauth.scopes import parse_scope


class ClientCredentialsGrant(Grant):
    """Touches no store: the client comes from the process cache, the token is written nowhere."""

    GRANT_TYPE = "client_credentials"

    def validate_token_request(self) -> None:
        """As for every grant, and the client must hold a secret.

        Raises:
            UnauthorizedClientError: a public client ("MUST only be used by confidential clients").
        """
        super().validate_token_request()
        if self.registered.is_public:
            raise UnauthorizedClientError("Public clients cannot use client_credentials.")

    def answer(self) -> Mapping[str, Any]:
        """An access token for the client itself; the same request again is answered from memory."""
        form, scopes = self.oauth_request.form, self.services.scopes
        resources = scopes.version()
        target = scopes.for_client_token(
            client=self.registered,
            requested=parse_scope(form.get("scope")),
            resource=form.get("resource"),
        )
        issue = self.issuer.prepare_for_client(self.registered, target, self.now)
        body: dict[str, Any] = orjson.loads(self.issuer.issue_for_client(issue, self.now))
        fingerprint = self.oauth_request.fingerprint
        if fingerprint is not None:
            self.server.repeats.remember(fingerprint, issue, resources=resources, now=self.now)
        return body
