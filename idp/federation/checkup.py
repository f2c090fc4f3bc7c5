"""Whether a provider can be spoken to as it is configured, in words for an operator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from idp.errors import Refused, Unavailable
from idp.federation.errors import UpstreamUnavailable
from idp.federation.metadata import Endpoints, discovery_address
from idp.federation.provider import Provider, ProviderKind
from idp.federation.relying_party import RelyingParty
from idp.http import HttpClient

_OK: Final = 200
_JSON: Final = "application/json"
_SHOWN: Final = 200
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found out."""

    problems: tuple[str, ...]
    """Sign-ins fail while these stand."""
    remarks: tuple[str, ...]
    """What may be meant so."""
    authorization_origins: tuple[str, ...]
    """Where the way there leads; empty if that could not be found out."""
    endpoints: Endpoints | None


class Checkup:
    """Asks a provider for what it publishes, and compares that with the configuration.

    Args:
        http: the one egress.
        new_relying_party: makes one that has kept nothing of what was published before.
    """

    def __init__(self, http: HttpClient, new_relying_party: Callable[[], RelyingParty]) -> None:
        self._http = http
        self._new_relying_party = new_relying_party

    def examine(self, provider: Provider) -> Examination:
        """Everything that can be told without a person who signs in; whatever the provider does, no error."""
        problems: list[str] = []
        remarks: list[str] = []
        if provider.kind is ProviderKind.OIDC and provider.discovery:
            published = self._document(discovery_address(provider), "metadata", problems)
            if published is not None:
                problems += _contradictions(provider, published)
                remarks += _remarks(provider, published)
        endpoints = None
        if not problems:
            endpoints = self._endpoints(provider, problems)
        if endpoints is not None and provider.kind is ProviderKind.OIDC:
            self._look_at_keys(endpoints, problems)
        return Examination(
            problems=tuple(problems),
            remarks=tuple(remarks),
            authorization_origins=endpoints.authorization_origins if endpoints else (),
            endpoints=endpoints,
        )

    def _endpoints(self, provider: Provider, problems: list[str]) -> Endpoints | None:
        try:
            return self._new_relying_party().endpoints(provider)
        except UpstreamUnavailable as error:
            problems.append(f"Its addresses cannot be used ({error.detail}).")
            return None

    def _look_at_keys(self, endpoints: Endpoints, problems: list[str]) -> None:
        if endpoints.jwks_uri is None:
            problems.append("There is no jwks_uri: without keys no ID token can be verified.")
            return
        document = self._document(endpoints.jwks_uri, "key set", problems)
        if document is not None and not document.get("keys"):
            problems.append(f"The key set at {endpoints.jwks_uri} is empty.")

    def _document(self, address: str, what: str, problems: list[str]) -> dict[str, Any] | None:
        """The JSON object at an address; None, and a problem more, if there is none."""
        try:
            answer = self._http.get(address, accept=_JSON)
        except (Refused, Unavailable) as error:
            reason = f"{error.description} {error.detail}".strip()
            problems.append(f"The {what} at {address} cannot be fetched: {reason}")
            return None
        if answer.status != _OK:
            problems.append(f"The {what} at {address} is not there: the answer has status {answer.status}.")
            return None
        try:
            document = orjson.loads(answer.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            problems.append(f"The {what} at {address} is not a JSON object.")
            return None
        return document


def _contradictions(provider: Provider, published: Mapping[str, Any]) -> list[str]:
    """What it publishes and what is configured cannot both be."""
    found = []
    issuer = published.get("issuer")
    if issuer != provider.issuer:
        found.append(
            f"It says its issuer is {_shown(issuer)}, but {provider.issuer} is configured:"
            " they have to be the same, letter by letter."
        )
    found += [
        f"It does not say its {name}; enter one, or ask whoever runs it."
        for name in _NEEDED
        if not published.get(name) and getattr(provider, name) is None
    ]
    algorithms = _texts(published.get("id_token_signing_alg_values_supported"))
    if algorithms and not set(algorithms) & set(provider.id_token_algs):
        found.append(
            f"It signs ID tokens with {', '.join(algorithms)}, and none of these is in id_token_algs"
            f" ({', '.join(provider.id_token_algs)})."
        )
    return found


def _remarks(provider: Provider, published: Mapping[str, Any]) -> list[str]:
    """What it publishes and what is configured do not go together well."""
    found = []
    method = "client_secret_post" if provider.auth_method == "apple" else provider.auth_method
    methods = _texts(published.get("token_endpoint_auth_methods_supported"))
    if methods and method not in methods:
        found.append(f"It does not list the auth_method {method}, but {', '.join(methods)}.")
    challenges = _texts(published.get("code_challenge_methods_supported"))
    if challenges and provider.pkce and "S256" not in challenges:
        found.append("It does not list S256 for PKCE; if sign-ins fail there, set pkce to false.")
    scopes = _texts(published.get("scopes_supported"))
    unknown = [scope for scope in provider.scopes if scope not in scopes]
    if scopes and unknown:
        found.append(f"It does not list the scopes {', '.join(unknown)}.")
    return found


def _texts(value: object) -> list[str]:
    return [part[:_SHOWN] for part in value if isinstance(part, str)] if isinstance(value, list) else []


def _shown(value: object) -> str:
    return ascii(value)[:_SHOWN] if value is not None else "nothing"
