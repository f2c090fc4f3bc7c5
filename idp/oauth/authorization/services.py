"""What the authorization endpoint stands on."""

from collections.abc import Callable
from dataclasses import dataclass

from idp.accounts import Accounts
from idp.audit import Audit
from idp.clients import ClientDirectory
from idp.consents import Consents
from idp.oauth.id_token_hint import IdTokenHints
from idp.oauth.scopes import ScopeResolver
from idp.resources import ResourceDirectory
from idp.settings import Settings
from idp.storage import ChangeFeed, Database, Repositories
from idp.storage.hot import BrowserStore
from idp.tokens import AuthorizationCodes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServices:
    """What the front channel stands on, put together once by the container."""

    settings: Settings
    database: Database
    repos: Repositories
    store: BrowserStore
    feed: ChangeFeed
    hints: IdTokenHints
    clients: ClientDirectory
    resources: ResourceDirectory
    scopes: ScopeResolver
    accounts: Accounts
    consents: Consents
    codes: AuthorizationCodes
    audit: Audit
    reachable_level: Callable[[str], int]
    """The highest level of ``acr`` that an account's proofs can reach; inside the caller's transaction."""
    provider_of: Callable[[str], str | None]
    """Id of the provider that a session came from; inside the caller's transaction."""
