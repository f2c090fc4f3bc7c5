"""Registration and recovery, whatever is typed.

| row    | MUST                                                                | property                    |
|--------|---------------------------------------------------------------------|-----------------------------|
| X5     | anything typed gives an answer below 500, and a page that says so   | test_anything_typed_*       |
| V7     | what can register can sign in by it, and nobody beside it           | test_any_address            |
| P3, P4 | any password is accepted whole or refused with its reason           | test_any_password           |
| M5     | no order of steps makes an account without a code                   | test_any_order_of_steps     |
"""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.bench import NewProvider
from tests.provider import PASSWORD, Provider

quick = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
STEPS = st.lists(
    st.sampled_from([
        ("POST", "/signup"), ("GET", "/signup/verify"), ("POST", "/signup/verify"), ("GET", "/signup/finish"),
        ("POST", "/signup/finish"), ("POST", "/signup/passkey"), ("POST", "/signup/passkey-options"),
    ]),
    max_size=8,
)  # fmt: skip


@pytest.fixture
def idp(new_provider: NewProvider) -> Provider:
    return new_provider(registration={"enabled": True, "identifiers": "email_or_phone"})


@quick
@given(identifier=ANYTHING, name=ANYTHING)
@example(identifier="a@b.c\u0000", name="")
@example(identifier="+1", name="'; DROP TABLE account; --")
@example(identifier="a@" + "b." * 120 + "c", name="{{ 7 * 7 }}")
@example(identifier="ada@xn--.example", name="<script>")
def test_anything_typed_at_registration(idp, identifier, name):
    """X5: refused with a reason, or a code is sent."""
    page = idp.browser().get("/signup").submit("signup-submit", username=identifier, name=name)

    assert page.status in {200, 400}
    assert page.path == "/signup/verify" if page.status == 200 else page.status == 400
    if "<" in name.strip()[:-1]:
        assert name not in page.answer.text, "escaped"


@quick
@given(identifier=ANYTHING)
def test_anything_typed_at_recovery(idp, identifier):
    """X5, L6: everything that is no blank gets the one answer."""
    page = idp.browser().get("/recover").submit("recover-submit", username=identifier)

    if page.status != 400:
        assert (page.status, page.path) == (200, "/recover/sent")


@quick
@given(code=ANYTHING)
@example(code="\u0661\u0662\u0663\u0664\u0665\u0666")
@example(code="0" * 60)
def test_anything_typed_as_a_code(idp, code):
    """M3, X5: nothing but the code that was sent is right."""
    page = idp.browser().get("/signup").submit("signup-submit", username="grace@example.org")
    right = idp.mails()[-1].code
    page = page.submit("code-submit", code=code)

    assert page.status < 500
    assert page.path != "/signup/finish" or right in code.replace(" ", "").replace("-", "")


@quick
@given(
    local=st.text("abcXYZ0123.+-_äöü", min_size=1, max_size=20),
    domain=st.sampled_from(["example.org", "BÜCHER.example"]),
)
def test_any_address(idp, local, domain):
    """V7: sign-in by what was registered; another spelling is the same."""
    address = f"{local}@{domain}"
    page = idp.browser().get("/signup").submit("signup-submit", username=address)
    mail = idp.mails()[-1] if page.path == "/signup/verify" else None
    if mail is None or "already" in mail.subject:
        return
    page = page.submit("code-submit", code=mail.code).submit("signup-submit", password=PASSWORD)
    assert page.path == "/", page.text

    for spelling in (address, address.upper(), f" {address} "):
        assert idp.sign_in(idp.browser().get("/login"), spelling).path == "/", spelling


@quick
@given(password=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
@example(password="🐎" * 14)
@example(password="x" * 1025)
def test_any_password(idp, password):
    """P3, P4, P5: accepted whole, or refused in words."""
    browser = idp.browser()
    name = f"person{len(idp.container.admin.accounts.list_(limit=1000))}@example.org"
    page = browser.get("/signup").submit("signup-submit", username=name)
    page = page.submit("code-submit", code=idp.mails()[-1].code).submit("signup-submit", password=password)

    if page.path == "/":
        assert idp.sign_in(idp.browser().get("/login"), name, password).path == "/"
    else:
        assert page.status == 422
        assert page.has("trouble")


@quick
@given(steps=STEPS)
def test_any_order_of_steps(idp, steps):
    """M5: every step asks the server how far the registration has come."""
    browser = idp.browser()
    token = browser.get("/signup").form_with("signup-submit").fields["csrf_token"]
    form = [
        ("csrf_token", token), ("username", "grace@example.org"), ("code", "000000"), ("password", PASSWORD),
        ("credential", "{}"), ("proved", "true"), ("account", "acc_x"),
    ]  # fmt: skip

    for method, path in steps:
        page = browser.open(method, path, form=form if method == "POST" else None)
        assert page.status < 500

    assert idp.container.admin.accounts.list_() == []
