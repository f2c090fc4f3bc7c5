"""What a request costs the database: the budget of the hot paths.

| request            | statements         | commits | test                                  |
|--------------------|--------------------|---------|---------------------------------------|
| discovery, JWKS    | 0                  | 0       | test_documents_cost_nothing           |
| client_credentials | 0                  | 0       | test_client_credentials_costs_nothing |
| introspection      | 1                  | 0       | test_introspection_is_one_read        |
| userinfo           | 1                  | 0       | test_userinfo_is_one_read             |
| code exchange      | 1 on PostgreSQL    | 1       | test_code_exchange_commits_once       |
| refresh            | 1 on PostgreSQL    | 1       | test_refresh_commits_once             |
| authorize: code    | 2 on PostgreSQL    | 1       | test_authorize_with_a_session_*       |
| authorize: sign-in | 1                  | 1       | test_authorize_without_a_session_*    |
| login page         | 0 or 1             | 0       | test_the_login_page_is_at_most_*      |
| password sign-in   | 3 on PostgreSQL    | 2       | test_a_sign_in_with_a_password_*      |
| wrong password     | 4 on PostgreSQL    | 3       | test_a_wrong_password_*               |
| … and a code       | 9 and 20           | 2 and 1 | test_a_sign_in_of_two_steps_*         |
| wrong code         | 12                 | 1       | test_a_wrong_code_*                   |
| to a provider      | 1                  | 1       | test_a_way_to_another_provider_*      |
| … and back         | 14                 | 2       | test_a_sign_in_elsewhere_*            |
| one too many       | 1                  | 0       | test_a_sign_in_too_many_is_one_read   |
| back from sign-in  | 3 on PostgreSQL    | 1       | test_the_answer_after_a_sign_in_*     |
| revocation         | (not hot)          | 1       | test_revocation_commits_once          |
| a refused request  | nothing is written | 0 or 1  | test_refused_*                        |
| all of them        | no Redis command   |         | test_redis_is_not_asked               |

The statement counter counts what one thread sends, through SQLAlchemy and through the raw path alike; that it
does, the tables' row counts confirm here.
"""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
import redis
from sqlalchemy import MetaData, func, select

from tests.bench import NewProvider
from tests.elsewhere import Elsewhere, elsewhere
from tests.frontchannel import ask, request_parameters, signed_in
from tests.provider import PASSWORD, Client, Pkce, Provider
from tests.second_steps import Person, person
from tests.services import new_redis
from tests.transport import Answer

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)  # a server answers in its own threads

FORMATS = pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])


class Cost:
    """What one request sent to the database."""

    def __init__(self, answer: Answer, statements: list[str], commits: int) -> None:
        self.answer = answer
        self.statements = statements
        self.commits = commits

    @property
    def figures(self) -> tuple[int, int]:
        return len(self.statements), self.commits


def cost(provider: Provider, send) -> Cost:
    """Measure one request; in this process each of its statements runs in the calling thread."""
    with provider.container.database.statements.measure() as measured:
        answer = send()
    return Cost(answer, measured.statements, measured.commits)


def rows(provider: Provider) -> dict[str, int]:
    """How many rows each table has."""
    engine = provider.container.database.engine
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.sorted_tables
        }


def client_credentials(provider: Provider, robot: Client) -> Answer:
    form = {"grant_type": "client_credentials", "scope": "jobs:run"}
    return provider.http.post("/token", form, auth=robot.auth)


@pytest.mark.parametrize(
    "path",
    ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks", "/healthz"],
)
def test_documents_cost_nothing(provider, path):
    """Section 1: discovery and JWKS come from memory, so they go on without the database."""
    provider.http.get(path)

    got = cost(provider, lambda: provider.http.get(path))

    assert got.answer.status == HTTPStatus.OK
    assert got.figures == (0, 0)


@FORMATS
def test_client_credentials_costs_nothing(provider, access_token_format):
    """Promised: no client_credentials request writes to the database; it does not even read."""
    robot = provider.machine(access_token_format=access_token_format)
    client_credentials(provider, robot)
    before = rows(provider)

    for _ in range(3):
        got = cost(provider, lambda: client_credentials(provider, robot))
        assert got.answer.status == HTTPStatus.OK
        assert got.figures == (0, 0)

    assert rows(provider) == before


def test_issued_tokens_are_counted_in_batches(provider, robot):
    """Promised: tokens are counted in memory and written now and then, all of it in one transaction."""
    before = rows(provider)
    for _ in range(5):
        client_credentials(provider, robot)

    provider.container.issue_counter.flush()

    after = rows(provider)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "issue_count": 1
    }


@FORMATS
def test_introspection_is_one_read(provider, ada, access_token_format):
    """Performance 7: one SELECT, also for a token that was revoked."""
    client = provider.client("rp", access_token_format=access_token_format)
    token = provider.tokens(client)["access_token"]
    provider.introspect(client, token)

    alive = cost(provider, lambda: provider.introspect(client, token))
    provider.revoke(client, token)
    dead = cost(provider, lambda: provider.introspect(client, token))

    assert (alive.answer.json()["active"], dead.answer.json()["active"]) == (True, False)
    assert alive.figures == dead.figures == (1, 0)


def test_introspection_of_a_refresh_token_is_one_read(provider, shop):
    """Performance 7."""
    token = provider.tokens(shop)["refresh_token"]
    provider.introspect(shop, token)

    got = cost(provider, lambda: provider.introspect(shop, token))

    assert got.answer.json()["active"] is True
    assert got.figures == (1, 0)


@pytest.mark.parametrize("token", ["x", "a.b.c", "idp_at_AAAA", "idp_rt_AAAA"])
def test_introspection_of_junk_costs_nothing(provider, shop, token):
    """T1: what is not authentic is known for junk without asking anybody."""
    provider.introspect(shop, token)

    got = cost(provider, lambda: provider.introspect(shop, token))

    assert got.figures == (0, 0)


@FORMATS
def test_userinfo_is_one_read(provider, ada, access_token_format):
    """Performance 7: one SELECT brings revocation, account and claims."""
    client = provider.client("rp", access_token_format=access_token_format)
    token = provider.tokens(client, scope="openid profile email")["access_token"]
    provider.userinfo(token)

    got = cost(provider, lambda: provider.userinfo(token))

    assert got.answer.status == HTTPStatus.OK
    assert got.figures == (1, 0)


def test_userinfo_of_junk_costs_nothing(provider):
    """T1: a forged token does not reach the database."""
    got = cost(provider, lambda: provider.userinfo("a.b.c"))

    assert got.figures == (0, 0)


@pytest.mark.parametrize("name", ["shop", "spa"])
def test_code_exchange_commits_once(request, provider, dialect, name):
    """Promised: one commit; on PostgreSQL one statement does it all."""
    client = request.getfixturevalue(name)
    provider.tokens(client)
    pkce = Pkce()
    code = provider.code(client, scope="openid email", **pkce.parameters)
    before = rows(provider)

    got = cost(provider, lambda: provider.exchange(client, code, verifier=pkce.verifier))

    assert got.answer.status == HTTPStatus.OK
    assert got.commits == 1
    assert len(got.statements) <= (1 if dialect == "postgresql" else 4), got.statements
    after = rows(provider)
    new = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    assert new == {"token_family": 1, "audit_event": 1}


@pytest.mark.parametrize("name", ["shop", "spa"])
def test_refresh_commits_once(request, provider, dialect, name):
    """Promised: one commit and no new row but the audit event; on PostgreSQL one statement."""
    client = request.getfixturevalue(name)
    tokens = provider.refresh(client, provider.tokens(client)["refresh_token"]).json()
    before = rows(provider)

    got = cost(provider, lambda: provider.refresh(client, tokens["refresh_token"]))

    assert got.answer.status == HTTPStatus.OK
    assert got.commits == 1
    assert len(got.statements) <= (1 if dialect == "postgresql" else 3), got.statements
    after = rows(provider)
    assert {table: after[table] - before[table] for table in after if after[table] != before[table]} == {
        "audit_event": 1
    }


def test_revocation_commits_once(provider, shop):
    """X12: the revocation and its audit event are one transaction."""
    tokens = provider.tokens(shop)

    for name in ("access_token", "refresh_token"):
        got = cost(provider, lambda token=tokens[name]: provider.revoke(shop, token))
        assert got.answer.status == HTTPStatus.OK
        assert got.commits == 1


def test_refused_code_leaves_one_mark_at_most(provider, shop):
    """C2, C8: a failed exchange may count the attempt; nothing else is written."""
    code = provider.code(shop, **Pkce().parameters)
    before = rows(provider)

    got = cost(provider, lambda: provider.exchange(shop, code, verifier=Pkce().verifier))

    assert got.answer.status == HTTPStatus.BAD_REQUEST
    assert got.commits <= 1
    assert rows(provider) == before


def test_refused_refresh_writes_nothing(provider, shop):
    """T11: junk costs nothing, a foreign token no row."""
    thief = provider.client("thief")
    token = provider.tokens(shop)["refresh_token"]
    before = rows(provider)

    junk = cost(provider, lambda: provider.refresh(thief, "idp_rt_AAAA"))
    foreign = cost(provider, lambda: provider.refresh(thief, token))

    assert (junk.answer.status, foreign.answer.status) == (400, 400)
    assert junk.figures == (0, 0)
    assert foreign.commits == 0
    assert rows(provider) == before


def test_failed_client_authentication_is_audited(provider, robot):
    """X9: the failure is one event in one commit."""
    before = rows(provider)

    got = cost(provider, lambda: client_credentials(provider, Client(robot.id, "wrong")))

    assert got.answer.status == HTTPStatus.UNAUTHORIZED
    assert got.commits == 1
    assert rows(provider)["audit_event"] == before["audit_event"] + 1


@pytest.mark.parametrize("first_party", [True, False])
def test_authorize_with_a_session_is_one_read_and_one_write(provider, ada, dialect, first_party):
    """Performance 7: the session is read; one statement looks again, at consent too, and writes."""
    client, browser = provider.client("rp", first_party=first_party), signed_in(provider)
    provider.code(client, browser=browser, scope="openid email", **Pkce().parameters)
    before = rows(provider)

    got = cost(provider, lambda: ask(provider, client, browser, scope="openid email").answer)

    assert got.answer.status == HTTPStatus.SEE_OTHER
    assert "code=" in got.answer.location
    assert got.commits == 1
    assert len(got.statements) <= (2 if dialect == "postgresql" else 4), got.statements
    after = rows(provider)
    new = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    assert new == {"one_time": 1, "audit_event": 1}


def test_a_session_in_use_is_noted_once_a_minute(provider, shop, dialect):
    """S4: moving the idle end costs one write more, not more often than that."""
    browser = signed_in(provider)
    ask(provider, shop, browser)
    provider.advance(seconds=61)

    due = cost(provider, lambda: ask(provider, shop, browser).answer)
    soon = cost(provider, lambda: ask(provider, shop, browser).answer)

    assert (due.commits, soon.commits) == (2, 1)
    assert len(due.statements) == len(soon.statements) + 1


def test_authorize_without_a_session_is_one_write(provider, shop):
    """Performance 7: the request is stored, nothing is read."""
    browser = provider.browser()
    ask(provider, shop, browser)
    before = rows(provider)

    got = cost(provider, lambda: browser.get("/authorize", request_parameters(shop), follow=False).answer)

    assert got.answer.status == HTTPStatus.SEE_OTHER
    assert got.figures == (1, 1)
    assert rows(provider)["interaction"] == before["interaction"] + 1


def test_authorize_that_may_show_no_page_costs_nothing(provider, shop):
    """OpenID Connect Core §3.1.2.1: asking in silence whether anybody is signed in stores nothing."""
    browser = provider.browser()
    ask(provider, shop, browser, prompt="none")

    got = cost(provider, lambda: ask(provider, shop, browser, prompt="none").answer)

    assert "error=login_required" in got.answer.location
    assert got.figures == (0, 0)


def test_the_login_page_is_at_most_one_read(provider, shop):
    """Performance 7: the request it is shown for, and nothing else."""
    browser = provider.browser()
    page = ask(provider, shop, browser)

    inside = cost(provider, lambda: browser.get(page.path).answer)
    plain = cost(provider, lambda: browser.get("/login").answer)

    assert (inside.answer.status, plain.answer.status) == (HTTPStatus.OK, HTTPStatus.OK)
    assert inside.figures == (1, 0)
    assert plain.figures == (0, 0)


@pytest.fixture
def limited(new_provider: NewProvider) -> Provider:
    """With limits per source, counted in the database, as they are without Redis."""
    provider = new_provider(ratelimit={"enabled": True, "login_per_source": "8/minute"})
    provider.account("ada")
    provider.account("bob")
    return provider


def submit(provider: Provider, browser, password: str = PASSWORD, username: str = "ada") -> Cost:
    """Send the plain form of the sign-in page."""
    form = {**browser.get("/login").form_with("login-submit").fields}
    pairs = list({**form, "username": username, "password": password}.items())
    return cost(provider, lambda: browser.open("POST", "/login", form=pairs, follow=False).answer)


def test_a_sign_in_with_a_password_is_one_read_and_one_write(limited, dialect):
    """Performance 7: the limits are one statement, what is known another, what is decided a third."""
    submit(limited, limited.browser())
    before = rows(limited)

    got = submit(limited, limited.browser())

    assert got.answer.status == HTTPStatus.SEE_OTHER
    assert got.commits == 2  # the count of the source, and the sign-in
    assert len(got.statements) <= (3 if dialect == "postgresql" else 9), got.statements
    after = rows(limited)
    new = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    assert new == {"browser_session": 1, "known_device": 1, "audit_event": 2}


def test_a_sign_in_without_limits_commits_once(provider, dialect):
    """Performance 7: switched off, limits cost nothing."""
    provider.account("bob")
    submit(provider, provider.browser(), username="bob")

    got = submit(provider, provider.browser(), username="bob")

    assert got.commits == 1
    assert len(got.statements) <= (2 if dialect == "postgresql" else 7), got.statements


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_a_wrong_password_costs_the_same_whoever_is_meant(limited, dialect, name):
    """L6: limits, look, failure, failures of the source."""
    submit(limited, limited.browser(), "wrong", "bob")

    got = submit(limited, limited.browser(), "wrong", name)

    assert got.answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert got.commits == 3
    assert len(got.statements) == (4 if dialect == "postgresql" else 9), got.statements


def second_step(provider: Provider, ada: Person, code: str) -> tuple[Cost, Cost]:
    """What the password costs where a second step is asked for, and what its code costs."""
    browser = provider.browser()
    first = submit(provider, browser)
    page = browser.get("/login/verify")
    form = page.form_with("code-submit").fields | {"code": code}
    return first, cost(
        provider, lambda: browser.open("POST", "/login/verify", form=list(form.items()), follow=False).answer
    )


def test_a_sign_in_of_two_steps_is_bounded(limited):
    """Performance 7: one Argon2 verification, and a known number of statements in one transaction each."""
    ada = person(limited, "totp", made=True)

    first, second = second_step(limited, ada, ada.code)

    assert (first.answer.status, second.answer.status) == (HTTPStatus.SEE_OTHER, HTTPStatus.SEE_OTHER)
    assert (first.commits, second.commits) == (2, 2)  # the count of the source, and the step
    assert len(first.statements) <= 9, first.statements
    assert len(second.statements) <= 21, second.statements


def test_a_wrong_code_is_bounded(limited):
    """Performance 7, L1: counted in the transaction that looks at it."""
    ada = person(limited, "totp", made=True)

    _, wrong = second_step(limited, ada, ada.wrong_code)

    assert wrong.answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert wrong.commits == 3  # the counts of the source, and the failure
    assert len(wrong.statements) <= 20, wrong.statements


def test_a_sign_in_that_is_told_is_bounded(provider, ada):
    """M13: the notice is written with the sign-in from a new device, for those who have an address."""
    submit(provider, provider.browser())

    got = submit(provider, provider.browser())

    assert got.answer.status == HTTPStatus.SEE_OTHER
    assert got.commits == 1
    assert len(got.statements) <= 17, got.statements


def test_a_sign_in_too_many_is_one_read(limited):
    """L2: who is refused costs little."""
    for _ in range(8):
        submit(limited, limited.browser())

    got = submit(limited, limited.browser())

    assert got.answer.status == HTTPStatus.TOO_MANY_REQUESTS
    assert got.figures == (1, 0)


def test_the_answer_after_a_sign_in_commits_once(provider, shop, dialect):
    """Performance 7: session and request are read; one statement uses the request up and writes the code."""
    browser = provider.browser()
    page = ask(provider, shop, browser)
    form = {**page.form_with("login-submit").fields, "username": "ada", "password": PASSWORD}
    signed = browser.open("POST", page.path, form=list(form.items()), follow=False)

    got = cost(provider, lambda: browser.get(signed.answer.location).answer)

    assert "code=" in got.answer.location
    assert got.commits == 1
    assert len(got.statements) <= (3 if dialect == "postgresql" else 6), got.statements


@pytest.mark.redis
def test_redis_is_not_asked(new_provider: NewProvider):
    """D6, performance 7: with Redis configured, no token, userinfo or introspection request speaks to it."""
    server = new_redis()
    if server is None:
        pytest.skip("NO REDIS: whether hot paths leave it alone is not tested")
    with server:
        provider = new_provider(redis={"url": server.url}, ratelimit={"enabled": True})
        provider.account("ada")
        shop, robot = provider.client("shop"), provider.machine()
        tokens = provider.tokens(shop)
        client_credentials(provider, robot)
        pkce = Pkce()
        code = provider.code(shop, **pkce.parameters)

        with redis.Redis.from_url(server.url) as connection:
            before = connection.info("stats")["total_commands_processed"]
            answers = [
                client_credentials(provider, robot),
                provider.exchange(shop, code, verifier=pkce.verifier),
                provider.refresh(shop, tokens["refresh_token"]),
                provider.userinfo(tokens["access_token"]),
                provider.introspect(shop, tokens["access_token"]),
                provider.http.get("/jwks"),
                provider.http.get("/.well-known/openid-configuration"),
            ]
            after = connection.info("stats")["total_commands_processed"]

    assert [answer.status for answer in answers] == [200] * 7
    assert after - before == 1, "only the INFO of this test"


@pytest.fixture
def acme(new_provider: NewProvider) -> Iterator[Elsewhere]:
    with elsewhere(new_provider) as made:
        yield made


def test_a_way_to_another_provider_is_one_insert(acme: Elsewhere):
    """What has to be remembered is one row; which providers there are is known in the process."""
    browser = acme.browser()
    page = browser.get("/login")
    fields = [*page.form_with("provider-acme").fields.items(), ("provider", "acme")]
    browser.open("POST", "/federation/start", form=fields, follow=False)

    got = cost(
        acme.provider,
        lambda: browser.open("POST", "/federation/start", form=fields, follow=False).answer,
    )

    assert got.answer.status == HTTPStatus.SEE_OTHER
    assert got.figures == (1, 1)


def test_a_sign_in_elsewhere_commits_twice(acme: Elsewhere):
    """Once for the claim of the answer, which counts whatever comes of it; once for the session."""
    acme.sign_in()
    page = acme.leave(acme.browser().get("/login"))
    acme.stub.gives(acme.token(page))
    target = f"/federation/acme/callback?code=a-code&state={acme.asked(page)['state']}"

    got = cost(acme.provider, lambda: page.browser.open("GET", target, follow=False).answer)

    assert got.answer.status == HTTPStatus.SEE_OTHER
    assert got.figures == (14, 2)
