"""Federation: people who sign in with an account that they have elsewhere.

Owns providers (who else may say who a person is), the links between identities there and accounts
here, and our side of the exchange: discovery, requests, verified answers, logout tokens.
Does not decide what a first sign-in leads to (login/), nor whether a link may be made or cut (selfservice/).
Called by login, selfservice, admin and the entrances.
Reading order: provider, domains, presets, field_checks, configuration, provider_secrets, stored, directory,
providers, identity, identities; then relying_party, metadata, exchanges, signed_tokens, id_tokens,
logout_tokens, claims_mapping, checkup.
"""

from idp.federation.checkup import Checkup, Examination
from idp.federation.claims_mapping import preview
from idp.federation.configuration import (
    AUTH_METHODS,
    FIELDS,
    KEY_METHODS,
    validate_configuration,
    validate_provider_id,
)
from idp.federation.departures import Departure, DepartureRecord, UpstreamLogout, UpstreamWish
from idp.federation.directory import ProviderDirectory
from idp.federation.domains import ascii_domain, domain_of
from idp.federation.errors import UpstreamDenied, UpstreamRefused, UpstreamUnavailable
from idp.federation.identities import Identities, label_of
from idp.federation.identity import ExternalIdentity, FederatedSession, UpstreamIdentity, UpstreamTokens
from idp.federation.metadata import Endpoints
from idp.federation.presets import preset, preset_names, preset_options
from idp.federation.provider import Provider, ProviderKind
from idp.federation.provider_secrets import ProviderSecrets
from idp.federation.providers import Providers
from idp.federation.relying_party import RelyingParty

__all__ = [
    "AUTH_METHODS",
    "FIELDS",
    "KEY_METHODS",
    "Checkup",
    "Departure",
    "DepartureRecord",
    "Endpoints",
    "Examination",
    "ExternalIdentity",
    "FederatedSession",
    "Identities",
    "Provider",
    "ProviderDirectory",
    "ProviderKind",
    "ProviderSecrets",
    "Providers",
    "RelyingParty",
    "UpstreamDenied",
    "UpstreamIdentity",
    "UpstreamLogout",
    "UpstreamRefused",
    "UpstreamTokens",
    "UpstreamUnavailable",
    "UpstreamWish",
    "ascii_domain",
    "domain_of",
    "label_of",
    "preset",
    "preset_names",
    "preset_options",
    "preview",
    "validate_configuration",
    "validate_provider_id",
]
