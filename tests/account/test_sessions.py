"""``/account/sessions``: people see where they are signed in, and end it (rows S5, S7)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.account.people import FIREFOX, IPHONE, add_sessions, at_home, is_signed_in, says
from tests.bench import NewProvider
from tests.browser import Page
from tests.journeys.test_backchannel_logout_notices import notices
from tests.provider import Client, Provider


def _ids(page: Page) -> list[str]:
    """The sessions that the page has a button for."""
    return [form.fields["session"] for form in page.forms if "session" in form.fields]


def _end(page: Page, session_id: str) -> Page:
    (form,) = [form for form in page.forms if form.fields.get("session") == session_id]
    return page.browser.open("POST", "/account/sessions", form=[*form.fields.items(), ("action", "end")])


def test_each_sign_in_is_told_in_words(provider: Provider, shop: Client) -> None:
    """Row S7: device, times, address and applications of every session; the own browser is marked."""
    provider.tokens(shop, browser=provider.browser(user_agent=IPHONE))
    page = at_home(provider, user_agent=FIREFOX).get("/account/sessions")

    assert page.has("session-present")
    assert "Firefox on Linux" in page.text
    assert "Safari on iPhone" in page.text
    assert "The Shop" in page.text
    assert "12:00 (" in page.text
    assert len(_ids(page)) == 1


def test_a_session_that_is_ended_is_dead_at_once_and_so_are_its_tokens(
    provider: Provider, shop: Client
) -> None:
    """Rows S5, S7: no cookie and no token of it counts any more."""
    phone = provider.browser(user_agent=IPHONE)
    tokens = provider.tokens(shop, browser=phone)
    desk = at_home(provider, user_agent=FIREFOX)
    page = desk.get("/account/sessions")

    done = _end(page, _ids(page)[0])

    assert says(done, "status")
    assert not is_signed_in(phone)
    assert is_signed_in(desk)
    assert provider.userinfo(tokens["access_token"]).status == 401
    assert provider.refresh(shop, tokens["refresh_token"]).status == 400


def test_access_that_was_given_for_longer_survives_the_end_of_its_session(
    provider: Provider, shop: Client
) -> None:
    """OIDC Core §11: ``offline_access`` is for when the person is not there; it is stopped elsewhere."""
    tokens = provider.tokens(
        shop, browser=provider.browser(), scope="openid offline_access", prompt="consent"
    )
    desk = at_home(provider)
    page = desk.get("/account/sessions")

    _end(page, _ids(page)[0])

    assert provider.refresh(shop, tokens["refresh_token"]).status == 200


def test_all_others_end_at_once(provider: Provider, shop: Client) -> None:
    """Row S7: one press ends every session but the own, with what was issued in them."""
    others = [at_home(provider) for _ in range(3)]
    tokens = provider.tokens(shop, browser=others[0])
    desk = at_home(provider)
    mine = provider.tokens(shop, browser=desk)

    page = desk.get("/account/sessions").submit("sessions-end-others")

    assert says(page, "status")
    assert is_signed_in(desk)
    assert not any(is_signed_in(other) for other in others)
    assert provider.userinfo(tokens["access_token"]).status == 401
    assert provider.userinfo(mine["access_token"]).status == 200


def test_everywhere_else_includes_a_stolen_copy_of_the_cookie(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row S2: this browser gets a new cookie value, and the former one is nobody's."""
    desk, thief = at_home(provider), provider.browser()
    at_home(provider)
    thief.cookies = dict(desk.cookies)

    desk.get("/account/sessions").submit("sessions-end-others")

    assert is_signed_in(desk)
    assert not is_signed_in(thief)


def test_applications_that_want_to_hear_of_it_are_told(provider: Provider, ada: dict[str, Any]) -> None:
    """Back-Channel Logout §2.5: of one end, and of all of them."""
    told = provider.client("told", backchannel_logout_uri="https://shop.example/out")
    for _ in range(3):
        provider.tokens(told, browser=provider.browser())
    desk = at_home(provider)
    page = desk.get("/account/sessions")

    _end(page, _ids(page)[0])
    assert len(notices(provider)) == 1
    desk.get("/account/sessions").submit("sessions-end-others")

    assert len(notices(provider)) == 3


def test_many_who_end_all_others_at_once_do_not_block_each_other(provider: Provider, shop: Client) -> None:
    """Row X12: every press is answered, and no more than one of the sessions is left."""
    browsers = [at_home(provider) for _ in range(6)]
    for browser in browsers:
        provider.tokens(shop, browser=browser)
    forms = [browser.get("/account/sessions").form_with("sessions-end-others").fields for browser in browsers]

    def press(place: int) -> int:
        fields = [*forms[place].items(), ("action", "end-others")]
        return browsers[place].open("POST", "/account/sessions", form=fields, follow=False).status

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(press, range(6)))

    assert set(answers) <= {303, 403}, answers
    assert sum(is_signed_in(browser) for browser in browsers) <= 1


def test_the_end_of_a_session_holds_on_every_node(new_provider: NewProvider) -> None:
    """Row S5: what ends on one node is dead on the others at the next request."""
    one, two = new_provider(), new_provider()
    one.account("ada")
    phone = at_home(two)
    page = at_home(one).get("/account/sessions")

    _end(page, _ids(page)[0])

    assert not is_signed_in(phone)


def test_nobody_ends_or_finds_out_about_the_sessions_of_others(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row S7: an id of another person's session is answered as one that there never was."""
    provider.account("bob")
    victim = at_home(provider)
    with provider.container.database.transaction(write=False):
        (row,) = provider.container.repos.overviews.live_sessions(ada["id"], provider.clock.now(), limit=5)
    mallory = at_home(provider, "bob")
    form = mallory.get("/account/sessions").form_with("account-logout").fields

    answers = [
        mallory.open(
            "POST",
            "/account/sessions",
            form=[*form.items(), ("action", "end"), ("session", session_id)],
        )
        for session_id in (row.id, "ses_00000000000000000000000000", "junk %", "")
    ]

    assert len({(answer.status, answer.url, answer.text) for answer in answers}) == 1
    assert is_signed_in(victim)


def test_an_unknown_button_is_refused_in_words(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X5: what the form cannot send changes nothing."""
    browser = at_home(provider)
    form = browser.get("/account/sessions").form_with("account-logout").fields

    page = browser.open("POST", "/account/sessions", form=[*form.items(), ("action", "explode")])

    assert page.status == 400


def test_a_thousand_sessions_are_shown_piece_by_piece(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X3: a page shows fifty of them, and every one of them can be reached."""
    browser = at_home(provider)
    add_sessions(provider, ada["id"], 1000)

    page, seen = browser.get("/account/sessions"), set[str]()
    assert len(page.answer.body) < 120_000
    pages = 1
    while True:
        seen |= set(_ids(page))
        older = [given["href"] for given in page.elements("a") if given.get("id") == "sessions-next"]
        if not older:
            break
        page, pages = browser.get(older[0]), pages + 1

    assert len(seen) == 1000
    assert pages == 21
    browser.get("/account/sessions").submit("sessions-end-others")
    assert _ids(browser.get("/account/sessions")) == []


def test_sessions_that_cannot_be_used_any_more_are_not_listed(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row S7: signed out, run out or called back: the list is of what can be used."""
    gone = at_home(provider)
    gone.get("/account").submit("account-logout")
    at_home(provider)
    provider.advance(hours=13)

    page = at_home(provider).get("/account/sessions")

    assert _ids(page) == []
