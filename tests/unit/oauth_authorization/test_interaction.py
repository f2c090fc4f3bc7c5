"""The stored request: one per tab, one browser's, used once, checked again at the end."""

import threading
from datetime import timedelta

import pytest

from idp.clients import Clients
from idp.errors import IdpError
from idp.oauth import Respond, ShowLogin, ShownError
from idp.storage import OneTimeRow
from tests.unit.oauth_authorization.conftest import BROWSER, SOURCE, FrontChannel, answer


def test_each_tab_has_its_own_request(front: FrontChannel):
    one, two = front.begin(state="one"), front.begin(state="two")
    session = front.sign_in()

    assert answer(front.resume(two, session=session))["state"] == "two"
    assert answer(front.resume(one, session=session))["state"] == "one"


def test_another_browser_finds_nothing(front: FrontChannel):
    """R14: the request belongs to the browser that began it."""
    step = front.begin()

    with pytest.raises(ShownError, match="no such sign-in"):
        front.resume(step, session=front.sign_in(), browser="browser-two")
    with pytest.raises(ShownError, match="no such sign-in"):
        front.flow.describe(step.uid, "browser-two", front.now)


@pytest.mark.parametrize("uid", ["", "unknown", "x" * 5000, "\x00", "é", "\ud800"])
def test_junk_as_uid_is_a_friendly_error(front: FrontChannel, uid):
    with pytest.raises(ShownError):
        front.resume(uid, session=front.sign_in())


def test_expired_request_is_a_friendly_error(front: FrontChannel):
    step = front.begin()
    front.clock.advance(front.settings.sessions.interaction_lifetime)

    with pytest.raises(ShownError, match="expired"):
        front.resume(step, session=front.sign_in())


def test_request_is_answered_once(front: FrontChannel):
    """Back button, double click: never a second code from the same request."""
    step = front.begin()
    session = front.sign_in()
    front.resume(step, session=session)

    with pytest.raises(ShownError, match="already used"):
        front.resume(step, session=session)
    with pytest.raises(ShownError, match="already used"):
        front.decide(step, allow=True, session=session)
    assert front.count(OneTimeRow) == 1


def test_parallel_answers_give_one_code(front: FrontChannel):
    """X12: the claim and its effect are one transaction."""
    step = front.begin()
    session = front.sign_in()
    answers: list[object] = []
    start = threading.Barrier(8)

    def go_on() -> None:
        start.wait()
        try:
            answers.append(front.resume(step, session=session))
        except IdpError as error:
            answers.append(error)
        finally:
            front.sqlalchemy_session.remove()

    threads = [threading.Thread(target=go_on) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 8
    assert sum(isinstance(each, Respond) for each in answers) == 1
    assert front.count(OneTimeRow) == 1


def test_session_that_ended_meanwhile_signs_nobody_in(front: FrontChannel):
    """S5: the session is looked at again in the transaction that issues the code."""
    session = front.sign_in()
    front.end(session)

    assert isinstance(front.begin(session=session), ShowLogin)


def test_session_beyond_its_idle_end_signs_nobody_in(front: FrontChannel):
    """S4."""
    session = front.sign_in()
    front.clock.advance(front.settings.sessions.idle_lifetime)

    assert isinstance(front.begin(session=session), ShowLogin)


def test_disabled_account_gets_no_code(front: FrontChannel):
    """T16, S6: the one gate is asked at the answer, too."""
    session = front.sign_in()
    with front.database.transaction():
        front.accounts.disable(front.ada.id, front.now)

    assert isinstance(front.begin(session=session), ShowLogin)
    assert answer(front.begin(session=session, prompt="none"))["error"] == "login_required"


def test_sign_in_from_before_an_epoch_gets_no_code(front: FrontChannel):
    """T16, decision D13: not_before of the account."""
    session = front.sign_in()
    with front.database.transaction():
        front.repos.accounts.set_not_before(front.ada.id, front.now + timedelta(seconds=1))

    assert isinstance(front.begin(session=session), ShowLogin)


def test_client_disabled_meanwhile_gets_nothing(front: FrontChannel):
    step = front.begin()
    front.disable_client()

    with pytest.raises(ShownError, match="disabled"):
        front.resume(step, session=front.sign_in())
    with pytest.raises(ShownError, match="disabled"):
        front.flow.describe(step.uid, BROWSER, front.now)


def test_redirect_uri_withdrawn_meanwhile_gets_nothing(front: FrontChannel):
    """R2: even a stored request redirects only where the client is registered now."""
    step = front.begin()
    with front.database.transaction():
        front.repos.clients.delete("web", front.now)
        Clients(front.repos, front.secret_key).create(
            "web", {"client_name": "web", "redirect_uris": ["https://new.example/"]}, now=front.now
        )
    front.clients.reload()

    with pytest.raises(ShownError) as caught:
        front.resume(step, session=front.sign_in())
    assert caught.value.parameter == "redirect_uri"


def test_view_tells_what_the_pages_show(front: FrontChannel):
    step = front.begin(login_hint="ada@example.org", ui_locales="de en", display="popup")

    view = front.flow.describe(step.uid, BROWSER, front.now)

    assert view.client.client_id == "web"
    assert view.login_hint == "ada@example.org"
    assert view.ui_locales == ("de", "en")
    assert view.redirect_origin == "https://client.example"


def test_code_is_bound_and_recorded(front: FrontChannel):
    """C3, C4, C10: client, redirect URI, challenge, 60 seconds; only a digest is stored; audited."""
    step = front.begin(nonce="n-0S6")
    session = front.sign_in()

    done = front.resume(step, session=session)
    row, grant = front.code_row(done), front.grant(done)

    assert answer(done)["code"].startswith("idp_ac_")
    assert (row.binding, row.target) == ("web", grant.redirect_uri)
    assert row.proof == grant.code_challenge
    assert row.expires_at - row.created_at == timedelta(seconds=60)
    assert (row.account_id, row.session_id) == (front.ada.id, session.id)
    assert grant.nonce == "n-0S6"
    assert answer(done)["code"] not in str([vars(event) for event in front.rows()])


def test_source_is_recorded(front: FrontChannel):
    """X9: who, what, when, from where."""
    front.begin(session=front.sign_in())

    event = front.rows()[-1]

    assert (event.event, event.client_id, event.account_id) == ("token.code.issued", "web", front.ada.id)
    assert (event.address, event.request_id) == (SOURCE.address, SOURCE.request_id)
