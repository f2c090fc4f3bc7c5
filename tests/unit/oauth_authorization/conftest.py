"""A front channel of its own for every test: SQLite file, keys, one account, no HTTP."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.accounts import Account, Accounts
from idp.audit import Audit, Source
from idp.clients import ClientDirectory, Clients
from idp.clock import FixedClock
from idp.consents import Consents
from idp.crypto import RootKey, Sealer, Secret
from idp.keys import KeyRing, KeyStore
from idp.oauth import (
    AuthorizationFlow,
    AuthorizationServices,
    IdTokenHints,
    LogoutFlow,
    LogoutServices,
    Respond,
    ScopeResolver,
    Step,
)
from idp.resources import ResourceDirectory, Resources
from idp.sessions import BrowserSession, Sessions
from idp.settings import DatabaseSettings, MailSettings, RegistrationSettings, SecretUrl, Settings
from idp.storage import (
    AuditEventRow,
    Base,
    ChangeFeed,
    Database,
    OneTimeRow,
    TokenFamilyRow,
    create_change_source,
    create_engine,
    plain_session,
    repositories,
)
from idp.storage.hot import create_browser_store, create_hot_pool
from idp.tokens import AUTHORIZATION_CODE_KIND, AuthorizationCodes, AuthorizedGrant, new_family_id
from tests.sessions import begin_session, renew_session

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
ISSUER = "https://idp.example"
CALLBACK = "https://client.example/callback"
GOODBYE = "https://client.example/goodbye"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SOURCE = Source(address="192.0.2.1", user_agent="test", request_id="req_1")
BROWSER = "browser-one"
_READY = "ready"


class FrontChannel:
    """The flows, and what a test needs to set a scene and to look at it afterwards."""

    def __init__(self, folder: Path) -> None:
        url = SecretUrl(f"sqlite:///{folder}/idp.sqlite3")
        self.settings = Settings(issuer=ISSUER, database=DatabaseSettings(url=url))
        self.clock = FixedClock(START)
        engine = create_engine(self.settings.database)
        self.sqlalchemy_session = plain_session(engine)
        self.database = Database(engine, self.sqlalchemy_session)
        self.repos = repositories(self.sqlalchemy_session)
        aside = plain_session(engine)
        reader, read_repos = Database(engine, aside), repositories(aside)
        root = RootKey(bytes(range(32)))
        self.secret_key = Secret(root.derive("client secrets"))
        feed = ChangeFeed(create_change_source(self.settings.database), self.clock)
        self.keystore = KeyStore(
            self.repos,
            Sealer(root.derive("signing keys")),
            jwks_max_age=timedelta(seconds=60),
            longest_lifetime=timedelta(hours=1),
        )
        if not (folder / _READY).exists():
            Base.metadata.create_all(engine)
            with self.database.transaction():
                self.keystore.ensure_keys(START)
            (folder / _READY).touch()
        self.keyring = KeyRing(self.database, self.keystore, self.clock)
        self.keyring.reload()
        self.clients = ClientDirectory(reader, read_repos, feed, self.secret_key)
        self.resources = ResourceDirectory(reader, read_repos, feed)
        self.scopes = ScopeResolver(resources=self.resources, issuer=ISSUER)
        self.accounts = Accounts(self.repos)
        self.hot_pool = create_hot_pool(self.settings.database, self.database.statements)
        store = create_browser_store(self.hot_pool)
        self.sessions = Sessions(self.repos, store, self.settings.sessions)
        self.consents = Consents(self.repos)
        self.codes = AuthorizationCodes()
        audit = Audit(self.repos)
        hints = IdTokenHints(keyring=self.keyring, issuer=ISSUER)
        self.services = AuthorizationServices(
            settings=self.settings,
            database=self.database,
            repos=self.repos,
            store=store,
            feed=feed,
            hints=hints,
            clients=self.clients,
            resources=self.resources,
            scopes=self.scopes,
            accounts=self.accounts,
            consents=self.consents,
            codes=self.codes,
            audit=audit,
            reachable_level=lambda _account_id: self.reachable,
            provider_of=lambda _session_id: self.came_from,
        )
        self.flow = AuthorizationFlow(self.services)
        self.logout = LogoutFlow(
            LogoutServices(
                database=self.database,
                repos=self.repos,
                feed=feed,
                clients=self.clients,
                hints=hints,
                sessions=self.sessions,
                audit=audit,
            )
        )
        self.reachable = 1
        """The level that everybody can prove."""
        self.came_from: str | None = None
        """The provider that every session came from."""
        self.ada = self._first_account()

    def close(self) -> None:
        self.sqlalchemy_session.remove()
        self.hot_pool.close()
        self.database.dispose()

    # --- Setting the scene ----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def _first_account(self) -> Account:
        with self.database.transaction(write=False):
            known = self.accounts.find_by_identifier("ada")
        return known or self.account("ada")

    def account(self, username: str) -> Account:
        with self.database.transaction():
            return self.accounts.create(
                username=username, email=None, email_verified=False, claims={}, now=self.now
            )

    def client(self, client_id: str = "web", **metadata: Any) -> None:
        given = {
            "client_name": client_id,
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [GOODBYE],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email offline_access",
            "first_party": True,
            **metadata,
        }
        with self.database.transaction():
            Clients(self.repos, self.secret_key).create(client_id, given, now=self.now)
        self.clients.reload()

    def resource(self, identifier: str, **scopes: str) -> None:
        sentences = {name.replace("_", ":"): sentence for name, sentence in scopes.items()}
        with self.database.transaction():
            Resources(self.repos).create(
                identifier=identifier, name=f"API at {identifier}", scopes=sentences, now=self.now
            )
        self.resources.reload()

    def disable_client(self, client_id: str = "web") -> None:
        with self.database.transaction():
            Clients(self.repos, self.secret_key).set_disabled(client_id, disabled=True, now=self.now)
        self.clients.reload()

    def allow_registration(self) -> None:
        given = {
            "registration": RegistrationSettings(enabled=True),
            "mail": MailSettings(transport="console"),
        }
        settings = self.settings.model_copy(update=given)
        self.flow = AuthorizationFlow(replace(self.services, settings=settings))

    def sign_in(self, account: Account | None = None, level: int = 1) -> BrowserSession:
        proof = {"acr": f"urn:idp:loa:{level}"}
        with self.database.transaction():
            session, _ = begin_session(self.sessions, self.repos, (account or self.ada).id, self.now, **proof)
        return session

    def sign_in_again(self, session: BrowserSession, level: int = 1) -> BrowserSession:
        proof = {"acr": f"urn:idp:loa:{level}"}
        with self.database.transaction():
            renewed, _ = renew_session(self.sessions, self.repos, session, self.now, **proof)
        return renewed

    def end(self, session: BrowserSession) -> None:
        with self.database.transaction():
            self.sessions.end(session.id, "logout", self.now)

    def family(self, session: BrowserSession, *, offline: bool) -> str:
        family_id = new_family_id()
        with self.database.transaction():
            self.sqlalchemy_session().add(
                TokenFamilyRow(
                    id=family_id,
                    client_id="web",
                    account_id=session.account_id,
                    session_id=session.id,
                    grant_data={},
                    offline=offline,
                    last_used_at=self.now,
                    created_at=self.now,
                    expires_at=self.now + timedelta(days=1),
                    idle_expires_at=self.now + timedelta(days=1),
                )
            )
        return family_id

    def id_token(self, account: Account | None = None, **claims: Any) -> str:
        content = {
            "iss": ISSUER,
            "sub": (account or self.ada).id,
            "aud": "web",
            "exp": int(self.now.timestamp()) - 1,
            **claims,
        }
        return self.keyring.sign(content, typ="JWT", alg="RS256")

    # --- Asking ---------------------------------------------------------------------------------------------

    def begin(
        self,
        *pairs: tuple[str, str],
        session: BrowserSession | None = None,
        browser: str = BROWSER,
        **changes: str | None,
    ) -> Step:
        """A sound request, with changes: ``None`` leaves a parameter out, ``pairs`` are added."""
        sound = {
            "client_id": "web",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        params = [(name, value) for name, value in {**sound, **changes}.items() if value is not None]
        return self.flow.begin(
            [*params, *pairs], session=session, browser=browser, source=SOURCE, now=self.now
        )

    def resume(
        self, step: Step | str, *, session: BrowserSession | None = None, browser: str = BROWSER
    ) -> Step:
        return self.flow.resume(uid_of(step), session=session, browser=browser, source=SOURCE, now=self.now)

    def decide(
        self, step: Step | str, *, allow: bool, session: BrowserSession | None, browser: str = BROWSER
    ) -> Step:
        return self.flow.decide_consent(
            uid_of(step), allow=allow, session=session, browser=browser, source=SOURCE, now=self.now
        )

    # --- Looking --------------------------------------------------------------------------------------------

    def grant(self, step: Step) -> AuthorizedGrant:
        """What the code of a successful answer stands for."""
        return AuthorizedGrant.from_json(self.code_row(step).payload)

    def code_row(self, step: Step) -> OneTimeRow:
        digest = self.codes.digest_of(answer(step)["code"])
        with self.database.transaction(write=False):
            row = self.repos.one_time.find(AUTHORIZATION_CODE_KIND, digest)
        assert row is not None
        return row

    def events(self) -> list[str]:
        return [row.event for row in self.rows()]

    def rows(self) -> list[AuditEventRow]:
        with self.database.transaction(write=False):
            return list(self.repos.audit.list_())

    def count(self, model: type[Base]) -> int:
        with self.database.transaction(write=False):
            return self.sqlalchemy_session().query(model).count()


def uid_of(step: Step | str) -> str:
    return step if isinstance(step, str) else step.uid  # type: ignore[union-attr]


def answer(step: Step) -> dict[str, str]:
    """The parameters of an answer to the client."""
    assert isinstance(step, Respond), step
    names = [name for name, _ in step.response.params]
    assert len(names) == len(set(names))
    return dict(step.response.params)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables and signing keys: making an RSA key for each test takes most of its time."""
    folder = tmp_path_factory.mktemp("front")
    FrontChannel(folder).close()
    return folder


@pytest.fixture
def front(prepared: Path, tmp_path: Path) -> Iterator[FrontChannel]:
    folder = tmp_path / "front"
    shutil.copytree(prepared, folder)
    channel = FrontChannel(folder)
    channel.client()
    yield channel
    channel.close()


@pytest.fixture
def third_party(front: FrontChannel) -> FrontChannel:
    """The same with a client that has to ask: ``theirs``."""
    front.client("theirs", first_party=False)
    return front
