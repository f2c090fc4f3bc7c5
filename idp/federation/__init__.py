"""Federation: people who sign in with an account that they have elsewhere.

Owns providers (who else may say who a person is), the links between identities there and accounts
here, and our side of the exchange: discovery, requests, verified answers, logout tokens.
Does not decide what a first sign-in leads to (login/), nor whether a link may be made or cut (selfservice/).
Called by login, selfservice, admin and the entrances.
Reading order: provider, domains, field_checks, configuration, provider_secrets, stored, directory,
providers, identity, identities.
"""

from idp.federation.configuration import AUTH_METHODS, PRESETS, validate_configuration, validate_provider_id
from idp.federation.directory import ProviderDirectory
from idp.federation.domains import ascii_domain, domain_of
from idp.federation.identities import Identities, label_of
from idp.federation.identity import ExternalIdentity, FederatedSession, UpstreamIdentity, UpstreamTokens
from idp.federation.provider import Provider, ProviderKind
from idp.federation.provider_secrets import ProviderSecrets
from idp.federation.providers import Providers

__all__ = [
    "AUTH_METHODS",
    "PRESETS",
    "ExternalIdentity",
    "FederatedSession",
    "Identities",
    "Provider",
    "ProviderDirectory",
    "ProviderKind",
    "ProviderSecrets",
    "Providers",
    "UpstreamIdentity",
    "UpstreamTokens",
    "ascii_domain",
    "domain_of",
    "label_of",
    "validate_configuration",
    "validate_provider_id",
]
