"""Federation: people who sign in with an account that they have elsewhere.

Owns providers (who else may say who a person is), the links between identities there and accounts
here, and our side of the exchange: discovery, requests, verified answers, logout tokens.
Does not decide what a first sign-in leads to (login/), nor whether a link may be made or cut (selfservice/).
Called by login, selfservice, admin and the entrances.
Reading order: provider, identity.
"""

from idp.federation.identity import ExternalIdentity, FederatedSession, UpstreamIdentity, UpstreamTokens
from idp.federation.provider import Provider, ProviderKind

__all__ = [
    "ExternalIdentity",
    "FederatedSession",
    "Provider",
    "ProviderKind",
    "UpstreamIdentity",
    "UpstreamTokens",
]
