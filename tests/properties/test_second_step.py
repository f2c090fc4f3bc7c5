"""Whatever is sent to the pages of a sign-in, in whatever order: nobody gets in without both steps.

| row    | MUST                                                      | property                            |
|--------|-----------------------------------------------------------|-------------------------------------|
| M5     | any unknown move goes to the first unmet step             | test_any_move_leads_to_what_is_due  |
| M5     | no session before the password and a code were right      | the same                            |
| X3, X5 | never 5xx                                                 | the same, test_any_fields           |
"""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browser import Browser, Page
from tests.frontchannel import SQLITE_ONLY, ask
from tests.provider import PASSWORD, Client, Provider
from tests.second_steps import Person, person

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

quick = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SESSION, ATTEMPT = "__Host-idp_session", "__Host-idp_attempt"
PLACES = st.sampled_from(["", "/{first}", "/{second}"])
MOVES = st.one_of(
    st.tuples(st.just("see"), PLACES, st.sampled_from(["", "/verify", "/verify?method=recovery", "/enrol"])),
    st.tuples(st.just("password"), PLACES, st.sampled_from([PASSWORD, "wrong", ""])),
    st.tuples(st.just("code"), PLACES, st.sampled_from(["wrong", "", "another method", "enrol"])),
    st.tuples(st.just("elsewhere"), PLACES, st.sampled_from(["consent", "authorize", "select-account"])),
    st.tuples(st.just("forget"), PLACES, st.sampled_from([ATTEMPT, "__Host-idp_device"])),
    st.tuples(st.just("cancel"), PLACES, st.just("")),
)


@pytest.fixture
def scene(provider) -> tuple[Person, Client]:
    """Somebody with two ways to take a second step, and an application; the same for all examples."""
    return person(provider, "totp", "recovery"), provider.client("shop")


class Walk:
    """One browser with two requests on their way, and what it has proved where."""

    def __init__(self, provider: Provider, ada: Person, shop: Client) -> None:
        self.provider, self.ada = provider, ada
        self.browser: Browser = provider.browser()
        self.uids = {}
        for name in ("first", "second"):
            page = ask(provider, shop, self.browser)
            self.uids[name] = page.path.split("/")[2]
        self.proved: str | None = None
        """Where the password was right, if that is kept."""
        self.over: set[str] = set()

    def address(self, place: str) -> str:
        return place.format(**self.uids)

    def token(self) -> str:
        page = self.browser.get("/login")
        return page.forms[0].fields["csrf_token"]

    def post(self, path: str, **fields: str) -> Page:
        form = {"csrf_token": self.token(), **fields}
        return self.browser.open("POST", path, form=list(form.items()))

    def move(self, kind: str, place: str, what: str) -> Page:
        base = f"/login{self.address(place)}"
        match kind:
            case "see":
                return self.browser.get(base + what)
            case "password":
                page = self.post(base, username="ada", password=what)
                if what == PASSWORD and place not in self.over:
                    self.proved = place
                return page
            case "code":
                return self.code(base, what)
            case "elsewhere":
                uid = self.address(place).removeprefix("/") or "nothing"
                return self.browser.get(f"/{what}/{uid}")
            case "forget":
                self.browser.cookies.pop(what, None)
                self.proved = None if what == ATTEMPT else self.proved
                return self.browser.get(base)
            case _:
                return self.cancel(base, place)

    def code(self, base: str, what: str) -> Page:
        match what:
            case "wrong":
                return self.post(f"{base}/verify", method="totp", code=self.ada.wrong_code)
            case "":
                return self.post(f"{base}/verify")
            case "another method":
                return self.post(f"{base}/verify", method="sms", code=self.ada.code)
            case _:
                return self.post(f"{base}/enrol", code=self.ada.code)

    def cancel(self, base: str, place: str) -> Page:
        page = self.post(f"{base}/verify", action="cancel")
        if self.proved == place:
            self.proved = None
            if place:
                self.over.add(place)
        return page


@quick
@given(moves=st.lists(MOVES, max_size=9))
def test_any_move_leads_to_what_is_due(provider, scene, moves):
    """M5: where the password was right the page asks for the code; everywhere else for the password."""
    for table in ("login_attempt", "password_throttle"):
        with provider.container.database.engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - one of two constants
    walk = Walk(provider, *scene)

    for move in moves:
        page = walk.move(*move)
        assert page.left or page.status < 500
        assert SESSION not in walk.browser.cookies

    for place in ("", "/{first}", "/{second}"):
        if place in walk.over:
            continue
        page = walk.browser.get(f"/login{walk.address(place)}/verify")
        assert page.has("code-submit") == (place == walk.proved), page.text
        assert page.has("login-submit") == (place != walk.proved), page.text


@quick
@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(["method", "code", "action", "trust_device", "credential", "x"]),
            st.one_of(st.text(max_size=30), st.sampled_from(["totp", "send", "sms", "passkey", "password"])),
        ),
        max_size=5,
    )
)
def test_any_fields(provider, scene, fields):
    """X3, X5: a page, whatever is sent; M5: never a session."""
    ada, _ = scene
    with provider.container.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM password_throttle")
    page = ada.begin()
    token = page.forms[0].fields["csrf_token"]

    answer = page.browser.open("POST", "/login/verify", form=[("csrf_token", token), *fields])

    assert answer.status < 500
    assert SESSION not in page.browser.cookies
    assert re.match(r"/login(/verify)?$", answer.path)
