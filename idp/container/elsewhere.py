"""Other providers, and who people are there; how it is built."""

from dataclasses import dataclass

from idp.clock import Clock
from idp.crypto import RootKey, Sealer
from idp.federation import Identities, ProviderDirectory, ProviderSecrets, RelyingParty
from idp.http import HttpClient
from idp.settings import Settings
from idp.storage import ChangeFeed, Database, Repositories


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """Providers that people sign in with, and their identities there."""

    provider_secrets: ProviderSecrets
    providers: ProviderDirectory
    identities: Identities
    relying_party: RelyingParty


def build_elsewhere(
    settings: Settings,
    *,
    repos: Repositories,
    root: RootKey,
    copies: Database,
    copied: Repositories,
    feed: ChangeFeed,
    http: HttpClient,
    clock: Clock,
) -> Elsewhere:
    """Put federation together; every key has its own label.

    Args:
        settings: our issuer.
        repos: on the session of the request.
        root: gives the keys.
        copies: a database on a session of its own, for what keeps copies in the process.
        copied: repositories on that one.
        feed: announces changes.
        http: the one egress.
        clock: the injected time.
    """
    secrets = ProviderSecrets(Sealer(root.derive("identity-providers")))
    return Elsewhere(
        provider_secrets=secrets,
        providers=ProviderDirectory(copies, copied, feed, secrets),
        identities=Identities(
            repos,
            tokens=Sealer(root.derive("upstream-tokens")),
            id_tokens=Sealer(root.derive("upstream-id-tokens")),
        ),
        relying_party=RelyingParty(http, issuer=settings.issuer, clock=clock),
    )
