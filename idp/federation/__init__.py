"""Federation: people who sign in with an account that they have elsewhere.

Owns providers (who else may say who a person is), the links between identities there and accounts
here, and our side of the exchange: discovery, requests, verified answers, logout tokens.
Does not decide what a first sign-in leads to (login/), nor whether a link may be made or cut (selfservice/).
Called by login, selfservice, admin and the entrances.
<<<<<<< HEAD
Reading order: provider, identity, relying_party, signed_tokens, id_tokens, claims_mapping, presets.
"""

from idp.federation.claims_mapping import preview
from idp.federation.departures import Departure, DepartureRecord, UpstreamLogout, UpstreamWish
from idp.federation.errors import UpstreamDenied, UpstreamRefused, UpstreamUnavailable
=======
Reading order: provider, domains, field_checks, configuration, provider_secrets, stored, directory,
providers, identity, identities.
"""

from idp.federation.configuration import AUTH_METHODS, PRESETS, validate_configuration, validate_provider_id
from idp.federation.directory import ProviderDirectory
from idp.federation.domains import ascii_domain, domain_of
from idp.federation.identities import Identities, label_of
>>>>>>> fed-store
from idp.federation.identity import ExternalIdentity, FederatedSession, UpstreamIdentity, UpstreamTokens
from idp.federation.metadata import Endpoints
from idp.federation.presets import preset, preset_names, preset_options
from idp.federation.provider import Provider, ProviderKind
<<<<<<< HEAD
from idp.federation.relying_party import RelyingParty

__all__ = [
    "Departure",
    "DepartureRecord",
    "Endpoints",
=======
from idp.federation.provider_secrets import ProviderSecrets
from idp.federation.providers import Providers

__all__ = [
    "AUTH_METHODS",
    "PRESETS",
>>>>>>> fed-store
    "ExternalIdentity",
    "FederatedSession",
    "Identities",
    "Provider",
    "ProviderDirectory",
    "ProviderKind",
<<<<<<< HEAD
    "RelyingParty",
    "UpstreamDenied",
=======
    "ProviderSecrets",
    "Providers",
>>>>>>> fed-store
    "UpstreamIdentity",
    "UpstreamLogout",
    "UpstreamRefused",
    "UpstreamTokens",
<<<<<<< HEAD
    "UpstreamUnavailable",
    "UpstreamWish",
    "preset",
    "preset_names",
    "preset_options",
    "preview",
=======
    "ascii_domain",
    "domain_of",
    "label_of",
    "validate_configuration",
    "validate_provider_id",
>>>>>>> fed-store
]
