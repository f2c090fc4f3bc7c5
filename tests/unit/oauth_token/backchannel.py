"""A back channel of its own for every test: SQLite file, keys, one account, no HTTP."""

import base64
import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from idp.accounts import Accounts
from idp.audit import Audit, IssueCounter, Source
from idp.clients import ClientDirectory, Clients
from idp.clock import FixedClock
from idp.crypto import RootKey, Sealer, Secret
from idp.keys import KeyRing, KeyStore
from idp.oauth import Epochs, OAuthRequest, OAuthServer, OAuthServices, ProtocolResponse, ScopeResolver
from idp.ratelimit import RateLimiter
from idp.ratelimit.counters import MemoryCounters
from idp.resources import ResourceDirectory, Resources
from idp.settings import DatabaseSettings, Settings
from idp.storage import (
    Base,
    ChangeFeed,
    Database,
    OneTimeRow,
    Repositories,
    create_change_source,
    create_engine,
    plain_session,
    repositories,
)
from idp.storage.hot import create_hot_pool, create_hot_store
from idp.tokens import (
    ACCESS_TOKEN_KEY_BYTES,
    AUTHORIZATION_CODE_KIND,
    AccessTokens,
    AuthorizationCodes,
    AuthorizedGrant,
    RefreshTokens,
)

START = datetime(2030, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
FILE = "idp.sqlite3"
ISSUER = "https://idp.example"
CALLBACK = "https://client.example/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = "s3cret"
ROOT = RootKey(bytes(range(32)))
CLAIMS = {
    "name": "Ada Lovelace",
    "birthdate": "1815-12-10",
    "phone_number": "+44 20 7946 0000",
    "phone_number_verified": True,
    "address": {"locality": "London", "country": "GB"},
}


class BackChannel:
    """The server, and what a test needs to set a scene and to look at it afterwards."""

    def __init__(self, folder: Path, template: Path) -> None:
        shutil.copy(template, folder / FILE)
        self.settings = _settings(folder)
        self.clock = FixedClock(START)
        self.engine = create_engine(self.settings.database)
        self.session = plain_session(self.engine)
        self.database = Database(self.engine, self.session)
        self.repos = repositories(self.session)
        aside = plain_session(self.engine)
        reader, read_repos = Database(self.engine, aside), repositories(aside)
        self.secret_key = Secret(ROOT.derive("client secrets"))
        self.feed = ChangeFeed(create_change_source(self.settings.database), self.clock)
        self.hot_pool = create_hot_pool(self.settings.database, self.database.statements)
        self.hot = create_hot_store(self.hot_pool)
        self.keyring = KeyRing(self.database, _key_store(self.repos), self.clock)
        self.keyring.reload()
        self.issue_counter = IssueCounter(self.database, self.repos)
        self.refresh_tokens = RefreshTokens(ROOT.derive("refresh tokens"))
        self.codes = AuthorizationCodes()
        key = ROOT.derive("access tokens", ACCESS_TOKEN_KEY_BYTES)
        self.access_tokens = AccessTokens(self.keyring, key, ISSUER)
        self.clients = ClientDirectory(reader, read_repos, self.feed, self.secret_key)
        self.resources = ResourceDirectory(reader, read_repos, self.feed)
        self.epochs = Epochs(database=reader, repos=read_repos, feed=self.feed)
        self.server = OAuthServer(
            OAuthServices(
                settings=self.settings,
                clock=self.clock,
                database=self.database,
                repos=self.repos,
                hot=self.hot,
                feed=self.feed,
                ratelimiter=RateLimiter(MemoryCounters(), self.settings.ratelimit, self.clock),
                audit=Audit(self.repos),
                issue_counter=self.issue_counter,
                keyring=self.keyring,
                clients=self.clients,
                scopes=ScopeResolver(resources=self.resources, issuer=ISSUER),
                epochs=self.epochs,
                access_tokens=self.access_tokens,
                refresh_tokens=self.refresh_tokens,
                codes=self.codes,
            )
        )
        with self.database.transaction():
            self.account = Accounts(self.repos).create(
                username="ada",
                email="ada@example.org",
                email_verified=True,
                claims=CLAIMS,
                now=self.clock.now(),
            )

    def close(self) -> None:
        self.feed.stop()
        self.hot_pool.close()
        self.session.remove()
        self.database.dispose()

    # --- Setting the scene ----------------------------------------------------------------------------------

    def client(self, client_id: str = "web", **metadata: Any) -> None:
        given = {
            "client_name": client_id,
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email address phone offline_access",
            **metadata,
        }
        public = given.get("token_endpoint_auth_method") == "none"
        with self.database.transaction():
            Clients(self.repos, self.secret_key).create(
                client_id, given, secret=None if public else SECRET, now=self.clock.now()
            )
        self.clients.reload()

    def machine(self, client_id: str = "machine", **metadata: Any) -> None:
        self.client(
            client_id,
            **{"redirect_uris": [], "grant_types": ["client_credentials"], "scope": "jobs:run", **metadata},
        )

    def resource(self, identifier: str, *scopes: str, **options: Any) -> None:
        with self.database.transaction():
            Resources(self.repos).create(
                identifier=identifier,
                name=identifier,
                scopes={scope: f"Do {scope}" for scope in scopes},
                now=self.clock.now(),
                **options,
            )
        self.resources.reload()

    def set_client_disabled(self, client_id: str, *, disabled: bool) -> None:
        with self.database.transaction():
            Clients(self.repos, self.secret_key).set_disabled(
                client_id, disabled=disabled, now=self.clock.now()
            )
        self.clients.reload()

    def replace_secret(self, client_id: str, secret: str, *, overlap: timedelta = timedelta(0)) -> None:
        with self.database.transaction():
            Clients(self.repos, self.secret_key).rotate_secret(
                client_id, now=self.clock.now(), secret=secret, overlap=overlap
            )
        self.clients.reload()

    def break_the_feed(self) -> None:
        """What a lost database looks like to the feed: two polls without an answer."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE change_counter")
        for _ in range(2):
            self.feed.poll()

    def disable_account(self) -> None:
        with self.database.transaction():
            Accounts(self.repos).disable(self.account.id, self.clock.now())

    def code(self, client_id: str = "web", *, challenge: str | None = CHALLENGE, **grant: Any) -> str:
        """A code as the authorization endpoint leaves it behind."""
        now = self.clock.now()
        content = {
            "scopes": ("openid",),
            "nonce": "n-0S6",
            "auth_time": now - timedelta(minutes=3),
            "acr": "urn:idp:loa:1",
            "amr": ("pwd",),
            "redirect_uri": CALLBACK,
            "code_challenge": challenge,
            "sid": "ses_1",
            "refresh": True,
            "default_audience": ISSUER,
            **grant,
        }
        authorized = AuthorizedGrant(client_id=client_id, account_id=self.account.id, **content)
        code, digest = self.codes.new()
        with self.database.transaction():
            self.repos.one_time.issue(
                OneTimeRow(
                    digest=digest,
                    kind=AUTHORIZATION_CODE_KIND,
                    binding=client_id,
                    proof=challenge,
                    target=CALLBACK,
                    account_id=self.account.id,
                    session_id="ses_1",
                    payload=authorized.to_json(),
                    created_at=now,
                    expires_at=now + self.settings.tokens.authorization_code_lifetime,
                )
            )
        return code

    # --- Asking ---------------------------------------------------------------------------------------------

    @staticmethod
    def request(
        *pairs: tuple[str, str],
        auth: tuple[str, str] | None = None,
        headers: dict[str, str] | None = None,
        method: str = "POST",
        address: str = "192.0.2.1",
        **form: str,
    ) -> OAuthRequest:
        given = dict(headers or {})
        if auth is not None:
            given["Authorization"] = basic(*auth)
        return OAuthRequest(
            method=method,
            headers=given,
            form=(*pairs, *form.items()),
            source=Source(address=address, user_agent="test", request_id="req_1"),
        )

    def token(self, *pairs: tuple[str, str], **options: Any) -> ProtocolResponse:
        return self.server.token(self.request(*pairs, **options))

    def exchange(self, code: str, caller: str = "web", **changes: Any) -> ProtocolResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "auth": (caller, SECRET),
            **changes,
        }
        return self.token(**{name: value for name, value in form.items() if value is not None})

    def refresh(self, token: str, caller: str = "web", **changes: Any) -> ProtocolResponse:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "auth": (caller, SECRET),
            **changes,
        }
        return self.token(**{name: value for name, value in form.items() if value is not None})

    def sign_in(self, client_id: str = "web", **grant: Any) -> dict[str, Any]:
        """The tokens of a fresh code."""
        response = self.exchange(self.code(client_id, **grant), client_id)
        assert response.status == 200, response.body
        return dict(response.body or {})

    def userinfo(self, token: str | None = None, **options: Any) -> ProtocolResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.server.userinfo(self.request(**{"method": "GET", "headers": headers, **options}))

    def introspect(self, token: str, caller: str = "web", **options: Any) -> Any:
        response = self.server.introspect(self.request(token=token, auth=(caller, SECRET), **options))
        assert response.status == 200, response.body
        return response.body

    def revoke(self, token: str, caller: str = "web", **options: Any) -> ProtocolResponse:
        return self.server.revoke(self.request(token=token, **{"auth": (caller, SECRET), **options}))

    # --- Looking --------------------------------------------------------------------------------------------

    def events(self) -> list[str]:
        with self.database.transaction(write=False):
            return [row.event for row in self.repos.audit.list_()]

    def claims(self, jwt: str, typ: str = "jwt") -> dict[str, Any]:
        return self.keyring.verify(jwt, typ=typ)


def make_template(folder: Path) -> Path:
    """A database file with tables and signing keys; making RSA keys for every test would take minutes."""
    engine = create_engine(_settings(folder).database)
    Base.metadata.create_all(engine)
    session = plain_session(engine)
    with Database(engine, session).transaction():
        _key_store(repositories(session)).ensure_keys(START)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return folder / FILE


def _settings(folder: Path) -> Settings:
    return Settings(issuer=ISSUER, database=DatabaseSettings(url=f"sqlite:///{folder / FILE}"))


def _key_store(repos: Repositories) -> KeyStore:
    sealer = Sealer(ROOT.derive("signing keys"))
    longest = timedelta(hours=1)
    return KeyStore(repos, sealer, jwks_max_age=timedelta(seconds=60), longest_lifetime=longest)


def basic(client_id: str, secret: str, *, encoded: bool = True) -> str:
    parts = [quote_plus(part) if encoded else part for part in (client_id, secret)]
    return "Basic " + base64.b64encode(":".join(parts).encode()).decode()
