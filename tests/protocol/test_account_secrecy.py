"""Whether somebody has an account here is told to nobody.

| row | MUST                                                     | test                                  |
|-----|----------------------------------------------------------|---------------------------------------|
| L6  | known and unknown accounts alike: status, text, headers, | test_answers_are_alike                |
|     | cookies                                                  | test_pauses_are_alike                 |
| L6  | … and time                                               | test_unknown_names_take_as_long       |
| L7  | equal work                                               | the same; tests/unit/authenticators   |
"""

import re
import time

import pytest

from tests.bench import NewProvider
from tests.browser import Page
from tests.frontchannel import SQLITE_ONLY, attempt, text_of
from tests.provider import PASSWORD
from tests.second_steps import person

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)


def likeness(page: Page) -> tuple[object, ...]:
    """All of an answer that may not depend on who is meant; its size comes last, for names of one length."""
    changing = r'(name="csrf_token" value="|nonce="|name="username" type="text" value=")[^"]*'
    body = re.sub(changing, r"\1", page.answer.text)
    changing = {"x-request-id", "content-security-policy", "set-cookie", "content-length", "date"}
    headers = [pair for pair in page.answer.headers if pair[0].lower() not in changing]
    policy = re.sub(r"nonce-[A-Za-z0-9_-]+", "", page.answer.header("Content-Security-Policy") or "")
    cookies = sorted(header.split("=")[0] for header in page.browser.set_cookies)
    return page.status, body, headers, policy, cookies, len(page.answer.body)


NOBODIES = ["nobody", "nobody@nowhere.example", "ad", "ada'--", "日本語", "x" * 200, "a b", "acc_nobody"]


def test_answers_are_alike(provider, ada):
    """L6: who exists, who is disabled and who has no such name all look the same."""
    provider.account("former")
    provider.container.admin.accounts.disable("former")
    reference = likeness(attempt(provider))

    for name in ("former", *NOBODIES):
        page = attempt(provider, username=name)
        assert page.form_with("login-submit").fields["username"] == name
        assert likeness(page)[:-1] == reference[:-1], name


@sqlite_only
def test_same_length_names_differ_in_nothing(provider, ada):
    """L6: also headers and size, for a name as long as the known one."""
    for password in ("wrong", PASSWORD):
        known = likeness(attempt(provider, username="ada", password="wrong"))
        unknown = likeness(attempt(provider, username="eve", password=password))
        assert known[0] == unknown[0]
        assert known[2:] == unknown[2:]


@sqlite_only
def test_disabled_people_learn_nothing(provider, ada):
    """L6: with the right password too; whoever guessed it must not learn that it was right."""
    provider.container.admin.accounts.disable("ada")

    right = likeness(attempt(provider, password=PASSWORD))
    wrong = likeness(attempt(provider, password="wrong"))

    assert right == wrong


def test_second_steps_are_not_seen_before_the_password(provider, ada):
    """L6: a wrong password says nothing of what else an account has."""
    plain = likeness(attempt(provider, username="ada", password="wrong"))
    person(provider, "totp", "recovery", "sms", "email", made=True)

    protected = likeness(attempt(provider, username="ada", password="wrong"))

    assert protected == plain


@sqlite_only
def test_disabled_people_with_a_second_step_learn_nothing(provider, ada):
    """L6, T16: the right password does not lead to the second step."""
    person(provider, "totp", made=True)
    provider.container.admin.accounts.disable("ada")

    right = likeness(attempt(provider, password=PASSWORD))
    wrong = likeness(attempt(provider, password="wrong"))

    assert right == wrong


def test_pauses_are_alike(provider, ada):
    """L6: unknown names are counted and paused by the same numbers."""
    for _ in range(8):
        known = attempt(provider, username="ada")
        unknown = attempt(provider, username="eve")
        assert likeness(known)[0] == likeness(unknown)[0]
        assert likeness(known)[2:] == likeness(unknown)[2:]
        assert text_of(known, "trouble") == text_of(unknown, "trouble")
        provider.advance(seconds=int(known.answer.header("Retry-After") or 0))


@sqlite_only
def test_unknown_names_take_as_long(new_provider: NewProvider):
    """L6, L7: the same hashing for nobody. The fastest of several, because other work only ever adds."""
    provider = new_provider(passwords={"argon2_memory_kib": 19456, "argon2_passes": 3})
    for number in range(4):
        provider.account(f"known{number}")

    def fastest(names: list[str]) -> float:
        taken = []
        for name in names:
            page = provider.browser().get("/login")
            start = time.perf_counter()
            page.submit("login-submit", username=name, password="wrong")
            taken.append(time.perf_counter() - start)
        return min(taken)

    fastest(["warm"])
    known = fastest([f"known{number}" for number in range(4)] * 2)
    unknown = fastest([f"other{number}" for number in range(4)] * 2)

    assert 0.5 < unknown / known < 2
