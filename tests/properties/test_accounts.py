"""Usernames and passwords of any valid text.

| row    | MUST                                                         | property                       |
|--------|--------------------------------------------------------------|--------------------------------|
| V7, X5 | any valid name can be created and signed in with             | test_any_username              |
| V7     | no second account beside it under another spelling           | test_other_spellings_are_taken |
| P3     | any valid password works, whole and unchanged                | test_any_password              |
| X5, L6 | anything typed at the sign-in page gives an answer below 500 | test_anything_typed            |
"""

import unicodedata

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from idp.errors import Conflict, Invalid
from tests.frontchannel import SESSION
from tests.provider import PASSWORD

quick = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,  # names that a name cannot be
    ],
)

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


def signs_in(provider, username: str, password: str = PASSWORD) -> bool:
    browser = provider.browser()
    page = browser.get("/login").submit("login-submit", username=username, password=password)
    assert page.status < 500
    return SESSION in browser.cookies


def create(provider, username: str, password: str = PASSWORD) -> bool:
    """Whether the account could be made."""
    try:
        provider.account(username, password=password)
    except (Invalid, Conflict):  # no name, or an earlier example's
        return False
    return True


@quick
@given(name=NAMES)
@example(name="\u0345\u03b1")
@example(name="a@b@c.example")
@example(name="ŉﬃ①Ⅷ")
@example(name="%00' OR '1'='1")
def test_any_username(provider, name):
    """V7, X5: whatever can be created can sign in, as typed and in either normal form."""
    assume(create(provider, name))

    for spelling in (
        name,
        unicodedata.normalize("NFC", name),
        unicodedata.normalize("NFD", name),
        f" {name} ",
    ):
        assert signs_in(provider, spelling)
    assert not signs_in(provider, name + "x")


@quick
@given(name=NAMES)
@example(name="straße")
@example(name="ΣΊΣΥΦΟΣ")
@example(name="ﬁle")
def test_other_spellings_are_taken(provider, name):
    """V7: who registers a name in other letters, widths or compositions meets the one who has it."""
    assume(create(provider, name))

    for spelling in (
        name.casefold(),
        unicodedata.normalize("NFKC", name),
        f"{name[0]}\u200b{name[1:]}",
        name + " ",
    ):
        with pytest.raises((Conflict, Invalid)):
            provider.account(spelling)


@quick
@given(password=st.text(st.characters(exclude_categories=("Cs",)), min_size=8, max_size=60))
@example(password="\u1e9b\u0323" * 8)
@example(password="12345678\x7f")
def test_any_password(provider, password):
    """P3: set once, typed in either composition; one character less is another password."""
    name = f"user-{password.encode().hex()}"[:200]
    assume("\x00" not in password)
    assume(create(provider, name, password))

    assert signs_in(provider, name, password)
    assert signs_in(provider, name, unicodedata.normalize("NFD", password))
    assert not signs_in(provider, name, password[:-1] + "\u00b6\u00b6")


@quick
@given(username=st.text(max_size=300), password=st.text(max_size=50))
def test_anything_typed(provider, ada, username, password):
    """X5, L6: an answer below 500, and nobody is signed in."""
    assert not signs_in(provider, username, password)
