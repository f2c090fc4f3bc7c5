"""The floors below the flows: what there is, and how it is built."""

from dataclasses import dataclass
from datetime import timedelta

from idp.accounts import Accounts
from idp.audit import Audit, IssueCounter
from idp.clients import ClientDirectory
from idp.clock import Clock
from idp.consents import Consents
from idp.container.elsewhere import Elsewhere, build_elsewhere
from idp.container.messages import Messages, build_messages
from idp.container.proofs import Proofs, build_proofs
from idp.crypto import RootKey, Sealer, Secret, load_root_key
from idp.http import HttpClient
from idp.keys import KeyRing, KeyStore
from idp.oauth import Epochs, IdTokenHints, ScopeResolver
from idp.ratelimit import RateLimiter
from idp.resources import ResourceDirectory
from idp.sessions import Sessions
from idp.settings import Settings
from idp.storage import (
    ChangeFeed,
    Database,
    Engine,
    EphemeralStore,
    FallbackEphemeral,
    Repositories,
    SessionSource,
    SqlEphemeral,
    connect_shared,
    create_change_source,
    plain_session,
    repositories,
)
from idp.storage.hot import (
    BrowserStore,
    HotPool,
    HotStore,
    LoginStore,
    create_browser_store,
    create_hot_pool,
    create_hot_store,
    create_login_store,
    create_window_store,
)
from idp.tokens import ACCESS_TOKEN_KEY_BYTES, AccessTokens, AuthorizationCodes, RefreshTokens

_LONGEST_TOKEN_LIFETIME = timedelta(days=1)
"""No setting and no client's metadata lets a signed token live longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms(Proofs, Messages, Elsewhere):
    """The floors below the flows: storage, services and nouns."""

    settings: Settings
    clock: Clock
    root_key: RootKey
    database: Database
    repos: Repositories
    hot_pool: HotPool
    hot: HotStore
    browser_store: BrowserStore
    login_store: LoginStore
    feed: ChangeFeed
    ephemeral: EphemeralStore
    ratelimiter: RateLimiter
    audit: Audit
    issue_counter: IssueCounter
    keyring: KeyRing
    keystore: KeyStore
    accounts: Accounts
    sessions: Sessions
    clients: ClientDirectory
    resources: ResourceDirectory
    consents: Consents
    scopes: ScopeResolver
    epochs: Epochs
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    codes: AuthorizationCodes
    hints: IdTokenHints
    http: HttpClient


def build_rooms(settings: Settings, *, engine: Engine, session: SessionSource, clock: Clock) -> Rooms:
    """Put the lower floors together; see :func:`idp.container.build`."""
    root = load_root_key(settings.keys.dir)
    database = Database(engine, session)
    repos = repositories(database.session)
    # What keeps copies in the process may have to read in the middle of a request's transaction:
    # it has a session of its own.
    copies = Database(engine, plain_session(engine))
    copied = repositories(copies.session)
    shared = connect_shared(settings.redis)
    source, signals = create_change_source(settings.database), shared.signals if shared else None
    feed = ChangeFeed(source, clock, signals, poll_interval=settings.changes.poll_interval)
    hot_pool = create_hot_pool(settings.database, database.statements)
    ephemeral = _ephemeral(engine, hot_pool, shared.ephemeral if shared else None)
    keyring = _followed(KeyRing(copies, _keystore(settings, copied, root), clock), feed)
    resources = ResourceDirectory(copies, copied, feed)
    browser_store = create_browser_store(hot_pool)
    http = HttpClient(settings.http)
    proofs = build_proofs(settings, repos=repos, root=root, http=http)
    messages = build_messages(
        settings, repos=repos, root=root, links=proofs.links_once, http=http, clock=clock
    )
    elsewhere = build_elsewhere(
        settings, repos=repos, root=root, copies=copies, copied=copied, feed=feed, http=http, clock=clock
    )
    return Rooms(
        **vars(proofs),
        **vars(messages),
        **vars(elsewhere),
        settings=settings,
        clock=clock,
        root_key=root,
        database=database,
        repos=repos,
        hot_pool=hot_pool,
        hot=create_hot_store(hot_pool),
        browser_store=browser_store,
        login_store=create_login_store(hot_pool),
        feed=feed,
        ephemeral=ephemeral,
        ratelimiter=RateLimiter(ephemeral, settings.ratelimit, clock),
        audit=Audit(repos),
        issue_counter=IssueCounter(copies, copied),
        keyring=keyring,
        keystore=_keystore(settings, repos, root),
        accounts=Accounts(repos, settings.claims.scopes),
        sessions=Sessions(repos, browser_store, settings.sessions, messages.outbox),
        clients=ClientDirectory(copies, copied, feed, client_secret_key(root)),
        resources=resources,
        consents=Consents(repos),
        scopes=ScopeResolver(resources=resources, issuer=settings.issuer),
        epochs=Epochs(database=copies, repos=copied, feed=feed),
        access_tokens=AccessTokens(
            keyring, root.derive("access-tokens", ACCESS_TOKEN_KEY_BYTES), settings.issuer
        ),
        refresh_tokens=RefreshTokens(root.derive("refresh-tokens")),
        codes=AuthorizationCodes(),
        hints=IdTokenHints(keyring=keyring, issuer=settings.issuer),
        http=http,
    )


def _ephemeral(engine: Engine, hot_pool: HotPool, shared: EphemeralStore | None) -> EphemeralStore:
    own = SqlEphemeral(engine, create_window_store(hot_pool))
    return own if shared is None else FallbackEphemeral(shared, own)


def _followed(keyring: KeyRing, feed: ChangeFeed) -> KeyRing:
    feed.subscribe("keys", keyring.reload)
    return keyring


def _keystore(settings: Settings, repos: Repositories, root: RootKey) -> KeyStore:
    return KeyStore(
        repos,
        Sealer(root.derive("signing-keys")),
        jwks_max_age=settings.keys.jwks_max_age,
        publication_lead=settings.keys.publication_lead,
        longest_lifetime=max(_LONGEST_TOKEN_LIFETIME, settings.tokens.id_token_lifetime),
    )


def client_secret_key(root: RootKey) -> Secret[bytes]:
    """The key under which digests of client secrets are made."""
    return Secret(root.derive("client-secrets"))
