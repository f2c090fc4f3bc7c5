"""The floors below the flows: what there is, and how it is built."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from idp.accounts import Accounts, Notices
from idp.audit import Audit, IssueCounter
from idp.authenticators import (
    Breaches,
    CodeFactors,
    FactorThrottle,
    KnownDevices,
    NewPasswords,
    Passkeys,
    Passwords,
    PasswordThrottle,
    RecoveryCodes,
    Totp,
    TotpEnrolment,
    relying_party,
)
from idp.clients import ClientDirectory
from idp.clock import Clock
from idp.consents import Consents
from idp.container.messages import build_messages
from idp.crypto import Argon2Parameters, PasswordHasher, RootKey, Sealer, Secret, load_root_key
from idp.delivery import Deliverer, MailSender, Outbox, SmsSender
from idp.http import HttpClient
from idp.keys import KeyRing, KeyStore
from idp.oauth import Epochs, IdTokenHints, ScopeResolver
from idp.onetime import OneTimeCodes, OneTimeDrafts, OneTimeLinks
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
class Rooms:
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
    passwords: Passwords
    new_passwords: NewPasswords
    throttle: PasswordThrottle
    factor_throttle: FactorThrottle
    devices: KnownDevices
    totp: Totp
    totp_enrolment: TotpEnrolment
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    passkeys: Passkeys
    codes_once: OneTimeCodes
    links_once: OneTimeLinks
    drafts_once: OneTimeDrafts
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
    outbox: Outbox
    notices: Notices
    mail_sender: MailSender
    sms_sender: SmsSender
    deliverer: Deliverer


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
    feed = ChangeFeed(
        create_change_source(settings.database),
        clock,
        shared.signals if shared else None,
        poll_interval=settings.changes.poll_interval,
    )
    hot_pool = create_hot_pool(settings.database, database.statements)
    own = SqlEphemeral(engine, create_window_store(hot_pool))
    ephemeral: EphemeralStore = own if shared is None else FallbackEphemeral(shared.ephemeral, own)
    keyring = KeyRing(copies, _keystore(settings, copied, root), clock)
    feed.subscribe("keys", keyring.reload)
    totp = Totp(repos, Sealer(root.derive("totp")), issuer_name=settings.pages.brand_name)
    resources = ResourceDirectory(copies, copied, feed)
    browser_store = create_browser_store(hot_pool)
    passwords = _passwords(settings, repos, root)
    http = HttpClient(settings.http)
    throttle = PasswordThrottle(repos, Secret(root.derive("throttle")))
    links = OneTimeLinks(repos)
    messages = build_messages(settings, repos=repos, root=root, links=links, http=http, clock=clock)
    return Rooms(
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
        accounts=Accounts(repos),
        passwords=passwords,
        new_passwords=_new_passwords(settings, passwords, http),
        throttle=throttle,
        factor_throttle=FactorThrottle(repos, throttle),
        devices=KnownDevices(repos),
        totp=totp,
        recovery_codes=RecoveryCodes(repos, Secret(root.derive("recovery-codes"))),
        code_factors=CodeFactors(repos),
        totp_enrolment=TotpEnrolment(totp, OneTimeDrafts(repos), Sealer(root.derive("totp-enrolment"))),
        passkeys=_passkeys(settings, repos),
        codes_once=OneTimeCodes(repos, Secret(root.derive("one-time-codes"))),
        links_once=links,
        drafts_once=OneTimeDrafts(repos),
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
        outbox=messages.outbox,
        notices=messages.notices,
        mail_sender=messages.mail_sender,
        sms_sender=messages.sms_sender,
        deliverer=messages.deliverer,
    )


def _keystore(settings: Settings, repos: Repositories, root: RootKey) -> KeyStore:
    return KeyStore(
        repos,
        Sealer(root.derive("signing-keys")),
        jwks_max_age=settings.keys.jwks_max_age,
        publication_lead=settings.keys.publication_lead,
        longest_lifetime=max(_LONGEST_TOKEN_LIFETIME, settings.tokens.id_token_lifetime),
    )


def _passwords(settings: Settings, repos: Repositories, root: RootKey) -> Passwords:
    chosen = settings.passwords
    parameters = Argon2Parameters(
        memory_kib=chosen.argon2_memory_kib, passes=chosen.argon2_passes, lanes=chosen.argon2_lanes
    )
    return Passwords(repos, PasswordHasher(parameters, root.derive("password-pepper")), chosen)


def _passkeys(settings: Settings, repos: Repositories) -> Passkeys:
    chosen = settings.passkeys
    party = relying_party(chosen, issuer=settings.issuer, name=settings.pages.brand_name)
    return Passkeys(repos, party, timeout=chosen.timeout)


def _new_passwords(settings: Settings, passwords: Passwords, http: HttpClient) -> NewPasswords:
    return NewPasswords(
        passwords=passwords,
        breaches=Breaches(settings.breaches, http),
        least=settings.new_password_length,
        max_bytes=settings.passwords.max_bytes,
        own_words=(settings.pages.brand_name, urlsplit(settings.issuer).hostname or ""),
    )


def client_secret_key(root: RootKey) -> Secret[bytes]:
    """The key under which digests of client secrets are made."""
    return Secret(root.derive("client-secrets"))
