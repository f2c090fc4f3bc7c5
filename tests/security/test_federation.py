"""What must not make anybody somebody else: answers of other providers at our door (V8, V9, R15, M8, X1).

Whatever is wrong with an answer, the person gets a page that says so and a way back, their sign-in goes on,
and nothing is made.
"""

import threading
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlencode

import pytest

from idp.sessions import ACR_TWO_FACTORS
from tests.browser import Page
from tests.elsewhere import Elsewhere, elsewhere
from tests.frontchannel import SQLITE_ONLY, ask, success
from tests.second_steps import twin
from tests.unit.federation.stub import Asked, Reply, sign

ONE_DATABASE = pytest.mark.parametrize(*SQLITE_ONLY)
SESSION = "__Host-idp_session"


@pytest.fixture
def acme(new_provider) -> Iterator[Elsewhere]:
    with elsewhere(new_provider, http={"allowed_private_hosts": ["localhost"], "timeout": "1s"}) as made:
        yield made


def assert_refused(acme: Elsewhere, page: Page) -> None:
    """A page in words, with a way back, and nothing has happened."""
    assert page.status in {400, 403, 404, 422, 503}, page.text
    assert any(given.get("role") == "alert" for given in page.elements("div"))
    assert page.has("federation-back")
    assert SESSION not in page.browser.cookies
    assert acme.accounts() == []


def goes_on(acme: Elsewhere, page: Page) -> None:
    """The request of the application is still there, and the next try succeeds."""
    back = next(given["href"] for given in page.elements("a") if given.get("id") == "federation-back")
    page = page.browser.get(back)
    assert page.has("login-submit")
    assert success(acme.come_back(acme.leave(page)))


@ONE_DATABASE
@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": None},
        {"nonce": "another"},
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": ["our-client", "another"]},
        {"iss": "https://other.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": ""},
        {"sub": None},
        {"sub": ...},
        {"sub": 17},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_an_id_token_that_does_not_hold(acme, claims):
    """V9: wrong or missing nonce, audience, issuer, end; an empty, missing, null or numeric subject."""
    shop = acme.provider.client("shop")
    page = acme.come_back(acme.leave(ask(acme.provider, shop)), **claims)

    assert_refused(acme, page)
    goes_on(acme, page)


@ONE_DATABASE
@pytest.mark.parametrize("key", [{"alg": "none"}, {"name": "unknown"}], ids=str)
def test_a_signature_that_nobody_made(acme, key):
    """T1, V9: `none`, and a key that the provider does not publish."""
    page = acme.leave(acme.browser().get("/login"))
    token = acme.token(page)
    if key == {"alg": "none"}:
        token = sign(acme.stub.claims(acme.asked(page)["nonce"], acme.provider.clock.now()), "none")
    else:
        token = sign(acme.stub.claims(acme.asked(page)["nonce"], acme.provider.clock.now()), **key)
    acme.stub.gives(token)

    assert_refused(acme, acme.return_with(page))


@ONE_DATABASE
@pytest.mark.parametrize(
    "state", [None, "", "made-up", "%00", "x" * 5000], ids=["none", "empty", "made up", "odd", "long"]
)
def test_a_state_that_nobody_waits_for(acme, state):
    """R15: no answer without one that this browser was given."""
    page = acme.leave(acme.browser().get("/login"))
    acme.stub.gives(acme.token(page))
    answer = {"code": "a-code"} if state is None else {"code": "a-code", "state": state}

    assert_refused(acme, page.browser.get(f"/federation/acme/callback?{urlencode(answer)}"))


@ONE_DATABASE
def test_another_browser_cannot_bring_the_answer(acme):
    """V9: a victim who is sent a stranger's answer is not signed in as the stranger."""
    page = acme.leave(acme.browser().get("/login"))
    victim = acme.browser()
    victim.get("/login")

    stolen = acme.come_back(page, browser=victim)

    assert_refused(acme, stolen)
    assert acme.return_with(page).path == "/"  # whose it is can still bring it


@ONE_DATABASE
def test_an_answer_counts_once(acme):
    """X12: replayed, it leads back to where the sign-in stands and to no second session."""
    shop = acme.provider.client("shop")
    page = acme.leave(ask(acme.provider, shop))
    assert success(acme.come_back(page))
    page.browser.cookies.pop(SESSION)

    again = acme.return_with(page)

    assert (again.status, SESSION in again.browser.cookies) == (400, False)
    assert len(acme.accounts()) == 1


@ONE_DATABASE
def test_an_answer_that_comes_too_late(acme):
    page = acme.leave(acme.browser().get("/login"))
    acme.provider.advance(minutes=31)

    assert_refused(acme, acme.come_back(page))


@ONE_DATABASE
def test_a_code_of_another_provider(acme):
    """RFC 9700 §4.4: the way to one provider cannot be ended at the address of another."""
    acme.register("other", name="Other", issuer="https://other.example", discovery=False, **MANUAL)
    page = acme.leave(acme.browser().get("/login"))

    assert_refused(acme, acme.come_back(page, provider_id="other"))
    assert acme.stub.requests_to("/token") == []
    assert acme.events("federation.signin.failed")[0]["reason"] == "state_of_another_provider"


MANUAL = {
    "authorization_endpoint": "https://other.example/authorize",
    "token_endpoint": "https://other.example/token",
    "jwks_uri": "https://other.example/jwks",
    "authorization_origins": ["https://other.example"],
}


@ONE_DATABASE
def test_an_answer_that_names_another_issuer(acme):
    """RFC 9207 §2.4."""
    page = acme.leave(acme.browser().get("/login"))

    assert_refused(acme, acme.come_back(page, answer={"iss": "https://other.example"}))
    assert acme.stub.requests_to("/token") == []


@ONE_DATABASE
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"error": "access_denied", "code": ""}, 403),
        ({"error": "temporarily_unavailable", "code": ""}, 503),
        ({"error": "<script>alert(1)</script>", "code": ""}, 422),
        ({"code": ""}, 422),
    ],
    ids=str,
)
def test_an_answer_that_says_no(acme, answer, status):
    """The sign-in goes on; nothing of the answer is repeated on the page."""
    shop = acme.provider.client("shop")
    page = acme.come_back(acme.leave(ask(acme.provider, shop)), answer=answer)

    assert page.status == status
    assert "alert(1)" not in page.answer.text
    assert_refused(acme, page)
    goes_on(acme, page)


@ONE_DATABASE
@pytest.mark.parametrize("what", ["down", "slow", "html", "endless", "redirect", "error"])
def test_a_provider_that_does_not_answer_as_it_should(acme, what):
    """X1: one egress: no redirect to a private address is followed, nothing endless is read."""
    shop = acme.provider.client("shop")
    page = acme.leave(ask(acme.provider, shop))
    reply = {
        "down": Reply({}, 503),
        "slow": Reply({}, slow=True),
        "html": Reply(b"<!doctype html><title>Sorry</title>", headers={"Content-Type": "text/html"}),
        "endless": Reply(b"{", endless=True),
        "redirect": Reply(b"", 302, headers={"Location": "http://127.0.0.1:1/"}),
        "error": Reply({"error": "invalid_grant"}, 400),
    }[what]
    acme.stub.replies["/token"] = reply

    page = acme.return_with(page)

    assert_refused(acme, page)
    acme.stub.replies.pop("/token")
    goes_on(acme, page)


@ONE_DATABASE
def test_a_provider_that_cannot_be_asked_where_to_go(new_provider):
    """Before anybody leaves: the sign-in page is one step back."""
    with elsewhere(new_provider) as acme:
        acme.stub.replies.clear()
        shop = acme.provider.client("shop")

        page = ask(acme.provider, shop).submit("provider-acme")

        assert_refused(acme, page)
        acme.stub.publish()
        acme.provider.advance(minutes=5)
        goes_on(acme, page)


@ONE_DATABASE
def test_a_provider_that_is_switched_off_meanwhile(acme):
    page = acme.leave(acme.browser().get("/login"))
    acme.switch_off()

    assert_refused(acme, acme.come_back(page))
    assert not acme.browser().get("/login").has("provider-acme")
    assert_refused(acme, acme.browser().get("/federation/acme/callback?state=x&code=y"))


@ONE_DATABASE
@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/account"])
def test_the_way_back_leads_to_our_own_pages(acme, target):
    """R15: what a form names for afterwards is checked before it is kept."""
    page = acme.browser().get("/login")
    fields = [pair for pair in page.form_with("provider-acme").fields.items() if pair[0] != "return_to"]
    gone = page.browser.open(
        "POST", "/federation/start", form=[*fields, ("return_to", target), ("provider", "acme")]
    )

    page = acme.come_back(gone)

    assert not page.left
    assert page.path == (target if target == "/account" else "/")


@ONE_DATABASE
def test_a_form_of_another_site_sends_nobody_away(acme):
    """S8: nor does one without its token."""
    browser = acme.browser()
    browser.get("/login")
    for site in ("cross-site", "same-origin"):
        page = browser.open("POST", "/federation/start", form=[("provider", "acme")], site=site)
        assert page.status == HTTPStatus.FORBIDDEN


@ONE_DATABASE
def test_who_is_switched_off_here_is_not_let_in(acme):
    """T16, S6: the gate stands behind this door, too."""
    acme.sign_in()
    [account] = acme.accounts()
    acme.provider.container.admin.accounts.disable(account.username)

    page = acme.sign_in()

    assert (page.status, SESSION in page.browser.cookies) == (403, False)


@ONE_DATABASE
def test_an_unlinked_identity_ends_the_sign_in_that_waits(new_provider):
    """M5, M8: the second step of a sign-in that began with it is worth nothing any more."""
    with elsewhere(new_provider, login={"second_factor": "required"}) as acme:
        page = acme.sign_in()
        assert page.path == "/login/enrol"
        acme.switch_off()

        assert page.browser.get("/login/enrol").path == "/login"


@ONE_DATABASE
def test_posted_answers_come_back_as_a_get(acme):
    """OAuth 2.0 Form Post Response Mode: no cookie of ours comes with the form, and none is lost to it."""
    acme.change(response_mode="form_post")
    page = acme.leave(acme.browser().get("/login"))
    assert acme.asked(page)["response_mode"] == "form_post"
    acme.stub.gives(acme.token(page))
    answer = [("code", "a-code"), ("state", acme.asked(page)["state"]), ("user", '{"name": {}}')]
    stranger = acme.browser()

    posted = stranger.open("POST", "/federation/acme/callback", form=answer, site="cross-site", follow=False)

    assert posted.status == HTTPStatus.SEE_OTHER
    assert posted.answer.all_headers("Set-Cookie") == []
    assert "user" not in posted.answer.location
    assert page.browser.get(posted.answer.location).path == "/"


@ONE_DATABASE
def test_a_form_of_a_provider_that_sends_none(acme):
    page = acme.leave(acme.browser().get("/login"))
    answer = [("code", "a-code"), ("state", acme.asked(page)["state"])]

    page = page.browser.open("POST", "/federation/acme/callback", form=answer, site="cross-site")

    assert page.status == HTTPStatus.NOT_FOUND


def test_a_database_that_does_not_answer_is_no_refusal(acme):
    """X8: the person is told to try again, and not that the account cannot be used."""
    page = acme.leave(acme.browser().get("/login"))
    engine = acme.provider.container.database.engine
    lock = "LOCK TABLE account" if engine.dialect.name == "postgresql" else "DELETE FROM account WHERE false"

    with engine.connect() as connection:
        connection.exec_driver_sql(lock)
        page = acme.come_back(page)

    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert page.text.startswith("Please try again in a moment")


@pytest.fixture
def patient(new_provider) -> Iterator[Elsewhere]:
    """Waits for the stub, and for others that want the same row."""
    outward = {"allowed_private_hosts": ["localhost"], "timeout": "20s"}
    waits = {"lock_timeout": "20s", "statement_timeout": "20s"}
    with elsewhere(new_provider, http=outward, database=waits) as made:
        yield made


def test_parallel_answers_make_one_account(patient):
    """V9, X12: twenty browsers bring the same new identity at the same moment."""
    acme = patient
    pages = [acme.leave(acme.browser().get("/login")) for _ in range(20)]
    tokens = {page.browser: acme.token(page, sub="one") for page in pages}
    by_code = {f"code-{number}": tokens[page.browser] for number, page in enumerate(pages)}

    def give(asked: Asked) -> Reply:
        body = {"access_token": "any", "token_type": "Bearer", "id_token": by_code[asked.form["code"]]}
        return Reply(body)

    acme.stub.replies["/token"] = give
    acme.stub.says("/userinfo", {"sub": "one"})
    together, results = threading.Barrier(len(pages)), []

    def bring(number: int, page: Page) -> None:
        together.wait()
        results.append(acme.return_with(page, answer={"code": f"code-{number}"}))

    threads = [threading.Thread(target=bring, args=pair) for pair in enumerate(pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(acme.accounts()) == 1
    signed_in = [page for page in results if SESSION in page.browser.cookies]
    print(
        [(page.status, page.text) for page in results if page not in signed_in],
        acme.events("federation.signin.failed"),
    )
    assert len(signed_in) == len(pages)
    assert {acme.session(page.browser).account_id for page in signed_in} == {acme.accounts()[0].id}


def test_one_answer_at_the_same_moment_counts_once(acme):
    """X12: a double press, or a thief beside the owner."""
    page = acme.leave(acme.browser().get("/login"))
    acme.stub.gives(acme.token(page))
    browsers = [twin(acme.provider, page.browser) for _ in range(5)]
    together = threading.Barrier(len(browsers))

    def bring(browser) -> None:
        together.wait()
        acme.return_with(page, browser=browser)

    threads = [threading.Thread(target=bring, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(SESSION in browser.cookies for browser in browsers) == 1
    assert len(acme.stub.requests_to("/token")) == 1


@ONE_DATABASE
def test_too_many_answers_wait(new_provider):
    """L2: they count as sign-ins of their source, and what waits is not used up."""
    with elsewhere(new_provider, ratelimit={"enabled": True, "login_per_source": "2/minute"}) as acme:
        acme.sign_in()
        acme.sign_in()
        page = acme.leave(acme.browser().get("/login"))

        refused = acme.come_back(page)

        assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
        assert refused.answer.header("Retry-After")
        acme.provider.advance(minutes=2)
        assert acme.return_with(page).status in {200, 422}
        assert len(acme.stub.requests_to("/token")) == 3


@ONE_DATABASE
def test_federation_skips_no_enrolled_step_for_a_client_that_wants_two(acme):
    """M8: an untrusted provider's word is one factor, whatever it says of itself."""
    shop = acme.provider.client("shop", minimum_acr=ACR_TWO_FACTORS)

    page = acme.come_back(acme.leave(ask(acme.provider, shop)), amr=["mfa", "hwk"], acr=ACR_TWO_FACTORS)

    assert "/enrol" in page.path
