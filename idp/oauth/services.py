"""What the back channel stands on, put together once by the container."""

from dataclasses import dataclass

from idp.audit import Audit, IssueCounter
from idp.clients import ClientDirectory
from idp.clock import Clock
from idp.keys import KeyRing
from idp.oauth.epochs import Epochs
from idp.oauth.scopes import ScopeResolver
from idp.ratelimit import RateLimiter
from idp.settings import Settings
from idp.storage import ChangeFeed, Database, Repositories
from idp.storage.hot import HotStore
from idp.tokens import AccessTokens, AuthorizationCodes, RefreshTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthServices:
    """The collaborators of :class:`idp.oauth.OAuthServer`; shared by its grants and endpoints."""

    settings: Settings
    clock: Clock
    database: Database
    repos: Repositories
    hot: HotStore
    feed: ChangeFeed
    ratelimiter: RateLimiter
    audit: Audit
    issue_counter: IssueCounter
    keyring: KeyRing
    clients: ClientDirectory
    scopes: ScopeResolver
    epochs: Epochs
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    codes: AuthorizationCodes
