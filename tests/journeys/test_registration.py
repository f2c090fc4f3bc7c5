"""Registration: the code, the way in, and what an address that has an account already shows.

Rows of docs/security.md: P1-P5, L6, M3, V2, V4, V7, S9.
"""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.bench import NewProvider
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Pkce, Provider

OPEN = {"registration": {"enabled": True}}
NEW = "grace@example.org"


@pytest.fixture
def idp(new_provider: NewProvider) -> Provider:
    return new_provider(**OPEN)


def begin(idp: Provider, address: str = NEW, **fields: str) -> tuple[Browser, Page]:
    browser = idp.browser()
    return browser, browser.get("/signup").submit("signup-submit", username=address, **fields)


def prove(idp: Provider, page: Page) -> Page:
    return page.submit("code-submit", code=idp.mails()[-1].code)


def register(idp: Provider, address: str = NEW, password: str = PASSWORD) -> tuple[Browser, Page]:
    browser, page = begin(idp, address)
    return browser, prove(idp, page).submit("signup-submit", password=password)


def _uid(page: Page) -> str:
    """The interaction that a page belongs to."""
    return urlsplit(page.url).path.rpartition("/")[2]


def test_an_address_a_code_and_a_password_make_an_account_that_is_signed_in(idp):
    """V7: the address is proved before the account exists, and is the name to sign in with."""
    _browser, page = begin(idp, name="Grace Hopper")

    assert page.path == "/signup/verify"
    with idp.container.database.transaction(write=False):
        assert idp.container.accounts.find_by_identifier(NEW) is None
    page = prove(idp, page)
    assert page.path == "/signup/finish"
    page = page.submit("signup-submit", password=PASSWORD)

    assert page.path == "/"
    assert page.status == 200
    assert NEW in page.text
    made = idp.container.admin.accounts.get(NEW)
    assert made["email_verified"] is True
    assert made["claims"] == {"name": "Grace Hopper"}
    again = idp.browser()
    assert idp.sign_in(again.get("/login"), NEW).path == "/"


def test_registration_is_off_unless_switched_on(new_provider):
    """An operator's decision: by default nobody can register, and the page says so."""
    idp = new_provider()

    page = idp.browser().get("/signup")

    assert page.status == 404
    assert "cannot register" in page.text
    assert not page.has("signup-submit")


def test_who_came_from_an_application_goes_back_to_it(idp):
    """OpenID Connect prompt=create: the interaction goes on after the registration."""
    shop = idp.client("shop")
    browser = idp.browser()
    uid = _uid(idp.authorize(browser, shop, **Pkce().parameters))

    page = browser.get(f"/signup/{uid}").submit("signup-submit", username=NEW)
    assert page.path == f"/signup/{uid}/verify"
    page = prove(idp, page)
    assert page.path == f"/signup/{uid}/finish"
    page = page.submit("signup-submit", password=PASSWORD)

    assert page.left
    assert "code=" in page.url


def test_nobody_registers_on_the_way_to_a_client_that_says_so(idp):
    """The client's `allow_registration`: no link, no page, no form by another way."""
    shop, members = idp.client("shop"), idp.client("members", allow_registration=False)
    browser = idp.browser()
    open_to_all = idp.authorize(browser, shop, **Pkce().parameters)
    form = browser.get(f"/signup/{_uid(open_to_all)}").form_with("signup-submit")

    sign_in = idp.authorize(browser, members, **Pkce().parameters)
    page = browser.get(f"/signup/{_uid(sign_in)}")
    fields = [(name, value) for name, value in form.fields.items() if name != "username"]
    forced = browser.open("POST", f"/signup/{_uid(sign_in)}", form=[*fields, ("username", NEW)])

    assert open_to_all.has("login-signup")
    assert not sign_in.has("login-signup")
    assert (page.status, page.has("signup-submit")) == (404, False)
    assert forced.status == 404
    assert idp.mails() == []


def test_a_wrong_code_changes_nothing_and_five_burn_it(idp):
    """M3: a code that was sent takes five tries."""
    _, page = begin(idp)
    right = idp.mails()[-1].code
    wrong = f"{(int(right) + 1) % 10**6:06d}"

    for _ in range(5):
        page = page.submit("code-submit", code=wrong)
        assert page.status == 422
        assert page.path == "/signup/verify"

    assert page.submit("code-submit", code=right).status == 422


def test_a_code_belongs_to_the_browser_that_asked(idp):
    """M3: bound to its transaction."""
    _, mine = begin(idp)
    code = idp.mails()[-1].code
    _, theirs = begin(idp, "eve@example.org")

    assert theirs.submit("code-submit", code=code).status == 422
    assert mine.submit("code-submit", code=code).path == "/signup/finish"


def test_a_code_of_another_address_does_not_prove_this_one(idp):
    """V4: bound to the address."""
    browser, _ = begin(idp, "eve@example.org")
    code = idp.mails()[-1].code
    page = browser.get("/signup").submit("signup-submit", username=NEW)

    assert page.submit("code-submit", code=code).status == 422


def test_a_new_code_takes_the_place_of_the_one_before(idp):
    """M3: only the newest counts."""
    _, page = begin(idp)
    first = idp.mails()[-1].code
    page = page.submit("code-resend")
    assert page.elements("div")
    assert "another message" in page.text
    second = idp.mails()[-1].code
    while second == first:  # one time in a million
        page = page.submit("code-resend")
        second = idp.mails()[-1].code

    assert page.submit("code-submit", code=first).status == 422
    assert page.submit("code-submit", code=second).path == "/signup/finish"


def test_a_code_expires(idp):
    """M3: ten minutes at most."""
    _, page = begin(idp)
    code = idp.mails()[-1].code
    idp.advance(minutes=10, seconds=1)

    assert page.submit("code-submit", code=code).status == 422


def test_an_address_with_an_account_gets_the_same_page_and_another_mail(idp):
    """L6: text, status, headers, cookies and size are the same; only the mailbox tells."""
    idp.account("ada", email="ada@example.org")
    seen = []
    for address in ("ada@example.org", "eda@example.org"):
        browser, page = begin(idp, address)
        seen.append(
            (
                [answer.status for answer in browser.trail],
                page.path,
                page.text.replace(address, "-"),
                len(page.answer.body),
                sorted(browser.cookies),
                sorted(name for name, _ in page.answer.headers),
            )
        )
        mail = idp.mails()[-1]
        assert mail.to == address

    assert seen[0] == seen[1]
    known = next(mail for mail in reversed(idp.mails()) if mail.to == "ada@example.org")
    assert "already have an account" in known.subject
    assert urlsplit(known.link).path == "/login"


def test_the_steps_cannot_be_jumped(idp):
    """M5: every page asks the server how far the registration has come."""
    browser = idp.browser()
    assert browser.get("/signup/verify").path == "/signup"
    assert browser.get("/signup/finish").path == "/signup"
    _, page = begin(idp)
    assert page.browser.get("/signup/finish").path == "/signup/verify"
    form = page.form_with("code-submit")

    jumped = page.browser.open("POST", "/signup/finish", form=[*form.fields.items(), ("password", PASSWORD)])

    assert jumped.path != "/"
    with idp.container.database.transaction(write=False):
        assert idp.container.accounts.find_by_identifier(NEW) is None


def test_a_finished_registration_cannot_be_finished_again(idp):
    """M5: the draft is used up with its effect."""
    _, page = begin(idp)
    page = prove(idp, page)

    assert page.submit("signup-submit", password=PASSWORD).path == "/"
    assert page.submit("signup-submit", password=PASSWORD + "!").status in {200, 403}
    assert idp.sign_in(idp.browser().get("/login"), NEW).path == "/"


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short and sweet", None),
        ("too short 1234", "at least 15 characters"),
        ("aaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("12345678901234567890", "easy to guess"),
        ("grace@example.org", "your name or address"),
        ("Grace.Example.2024!", "your name or address"),
        ("x" * 1025, "too long"),
    ],
)
def test_a_new_password_is_refused_with_its_reason(idp, password, said):
    """P1, P4, P5: fifteen characters where the password is all; not the person's own words."""
    _, page = begin(idp)
    page = prove(idp, page).submit("signup-submit", password=password)

    if said is None:
        assert page.path == "/"
    else:
        assert page.status == 422
        assert said in page.text
        assert page.has("trouble")


def test_eight_characters_do_where_a_second_factor_is_mandatory(new_provider):
    """P1: NIST SP 800-63B-4 §3.1.1.2; and the sign-in goes on to setting one up (M8)."""
    idp = new_provider(**OPEN, login={"second_factor": "required"})

    browser, page = register(idp, password="mauve-42")

    assert page.path == "/login/enrol"
    assert browser.get("/account").path == "/login"


def test_common_passwords_are_refused_where_eight_characters_do(new_provider):
    """P5: the list that is built in."""
    idp = new_provider(**OPEN, login={"second_factor": "required"})

    _, page = register(idp, password="baseball")

    assert page.status == 422
    assert "lists that attackers try" in page.text


def test_unicode_counts_by_characters_and_is_the_same_in_either_form(idp):
    """P3: NFC, code points."""
    _, page = register(idp, password="pa\u0308ssword aus \u00dcbersee")

    assert page.path == "/"
    assert idp.sign_in(idp.browser().get("/login"), NEW, "p\u00e4ssword aus U\u0308bersee").path == "/"


def test_terms_have_to_be_accepted_and_their_version_is_kept(new_provider):
    """The box is not ticked for anybody."""
    idp = new_provider(
        registration={"enabled": True, "terms_uri": "https://idp.example/terms", "terms_version": "7"}
    )

    _, page = begin(idp)
    assert page.status == 400
    assert "accept the terms" in page.text
    page = prove(idp, page.submit("signup-submit", terms="yes"))
    page.submit("signup-submit", password=PASSWORD)

    with idp.container.database.transaction(write=False):
        account = idp.container.accounts.find_by_identifier(NEW)
    assert account is not None
    assert account.terms_version == "7"


def test_only_allowed_domains_may_register(new_provider):
    """Compared in the canonical form."""
    idp = new_provider(registration={"enabled": True, "allowed_email_domains": ("example.org",)})

    _, refused = begin(idp, "grace@elsewhere.example")
    _, taken = begin(idp, "Grace@EXAMPLE.org")

    assert refused.status == 400
    assert "this domain" in refused.text
    assert taken.path == "/signup/verify"


def test_two_spellings_of_an_address_are_one_account(idp):
    """V7: one canonical form; the second spelling hears that there is an account."""
    register(idp, "Grace@Example.org")

    begin(idp, "gRACE@EXAMPLE.ORG")

    assert "already have an account" in idp.mails()[-1].subject


@pytest.mark.parametrize(
    "address",
    ["", " ", "grace", "grace@", "@example.org", "a b@example.org", "g@e.org\r\nBcc: x@y.org",
     "x" * 300 + "@e.org", "grace@example.org\u202e",
     "\ud800@example.org".encode("utf-8", "surrogatepass").decode("latin-1")],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_words(idp, address):
    """Bad input gets a clear answer, never an error of the server."""
    _, page = begin(idp, address)

    assert page.status == 400
    assert page.has("trouble")


def test_a_telephone_number_can_be_registered(new_provider, tmp_path):
    """V7: the number in E.164 is a name to sign in with, however it is written."""
    idp = new_provider(registration={"enabled": True, "identifiers": "email_or_phone"})

    _, page = begin(idp, "+49 (0)30 1234-567")
    assert page.path == "/signup/verify"
    idp.mails()
    page = page.submit("code-submit", code=idp.sms()[-1].code).submit("signup-submit", password=PASSWORD)

    assert page.path == "/"
    made = idp.container.admin.accounts.get("+49301234567")
    assert made["claims"] == {"phone_number": "+49301234567", "phone_number_verified": True}
    for spelling in ("+49301234567", "+49 30 1234567", "+49/30/123-4567"):
        assert idp.sign_in(idp.browser().get("/login"), spelling).path == "/"


def test_links_come_from_the_settings_whatever_the_request_says(idp):
    """V2: Host and X-Forwarded-Host are not believed."""
    idp.account("ada", email="ada@example.org")
    browser = idp.browser()
    page = browser.get("/signup")
    fields = [*page.form_with("signup-submit").fields.items()]
    fields = [(name, value) for name, value in fields if name != "username"]

    browser.open(
        "POST",
        "/signup",
        form=[*fields, ("username", "ada@example.org")],
        headers=[("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example")],
    )

    assert idp.mails()[-1].link == f"{idp.issuer}/login"


def test_the_strength_of_a_password_is_told_while_it_is_typed(idp):
    """P5: the server judges, and says why; the form's token protects it (S8)."""
    browser, page = begin(idp)
    page = prove(idp, page)
    token = page.form_with("signup-submit").fields["csrf_token"]

    weak = browser.open(
        "POST", "/password-strength", form=[("csrf_token", token), ("password", "grace@example.org")]
    )
    strong = browser.open("POST", "/password-strength", form=[("csrf_token", token), ("password", PASSWORD)])
    forged = browser.open("POST", "/password-strength", form=[("csrf_token", "x"), ("password", PASSWORD)])

    assert weak.answer.json()["acceptable"] is False
    assert "your name or address" in weak.answer.json()["text"]
    assert strong.answer.json() == {"acceptable": True, "score": 4, "text": "Very good."}
    assert forged.status == 403


def test_of_two_who_proved_one_address_the_first_gets_it(idp):
    """V7, X12: in parallel too; the others hear that there is an account, which they have a right to know."""
    pages = []
    for _ in range(5):
        _, page = begin(idp)
        pages.append(prove(idp, page))

    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda page: page.submit("signup-submit", password=PASSWORD), pages))

    assert sorted(page.status for page in done) == [200] + [409] * 4
    assert all("account with this address" in page.text for page in done if page.status == 409)


def test_a_name_that_cannot_be_one_is_refused_in_words(idp):
    """Bad input; what was typed stays in the form."""
    for name in ("x" * 201, "Grace\u0007Hopper"):
        _, page = begin(idp, name=name)
        assert page.status == 400
        assert "This name" in page.text
        assert page.form_with("signup-submit").fields["username"] == NEW


def test_a_parameter_given_twice_is_refused(idp):
    """Bad input: no guess which one is meant."""
    browser = idp.browser()
    token = browser.get("/signup").form_with("signup-submit").fields["csrf_token"]

    page = browser.open(
        "POST", "/signup", form=[("csrf_token", token), ("username", NEW), ("username", "eve@example.org")]
    )

    assert page.status == 400


@pytest.mark.parametrize(
    "path", ["/signup", "/recover", "/signup/verify", "/signup/finish", "/password-strength"]
)
def test_a_form_of_another_site_is_refused(idp, path):
    """S8: token and origin."""
    browser = idp.browser()
    token = browser.get("/signup").form_with("signup-submit").fields["csrf_token"]

    assert browser.open("POST", path, form=[("csrf_token", token)], site="cross-site").status == 403
    assert browser.open("POST", path, form=[("username", NEW)]).status == 403


def test_a_registration_that_is_sent_in_twice_makes_one_account(idp):
    """M5, X12: the draft is claimed with its effect; presses in parallel change nothing."""
    browser, page = begin(idp)
    page = prove(idp, page)
    cookies = dict(browser.cookies)
    form = list({**page.form_with("signup-submit").fields, "password": PASSWORD}.items())

    def press(_: int) -> Page:
        again = idp.browser()
        again.cookies.update(cookies)
        return again.open("POST", "/signup/finish", form=form, follow=False)

    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(press, range(5)))

    assert [page.status for page in done] == [303] * 5
    assert sum(page.answer.location.endswith("/signup") for page in done) == 4
    assert len(idp.container.admin.accounts.list_()) == 1
