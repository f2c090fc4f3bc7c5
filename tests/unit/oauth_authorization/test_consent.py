"""Consent: asked for each new scope, resource and claim; remembered; denied means denied."""

import json

import pytest

from idp.oauth import Respond, ShowConsent, ShowLogin
from idp.storage import OneTimeRow
from tests.unit.oauth_authorization.conftest import BROWSER, CALLBACK, SOURCE, FrontChannel, answer

API = "https://api.example"


def test_third_party_is_asked_once_and_the_answer_is_remembered(third_party: FrontChannel):
    """K1: for each new scope; the same request later needs no page."""
    session = third_party.sign_in()

    first = third_party.begin(session=session, client_id="theirs", scope="openid email")
    done = third_party.decide(first, allow=True, session=session)
    narrower = third_party.begin(session=session, client_id="theirs", prompt="none")
    wider = third_party.begin(session=session, client_id="theirs", scope="openid email profile")

    assert isinstance(first, ShowConsent)
    assert third_party.grant(done).scopes == ("openid", "email")
    assert "code" in answer(narrower)
    assert isinstance(wider, ShowConsent)
    assert "consent.granted" in third_party.events()


def test_denial_is_told_and_recorded_and_uses_the_request_up(third_party: FrontChannel):
    session = third_party.sign_in()
    step = third_party.begin(session=session, client_id="theirs")

    denied = third_party.decide(step, allow=False, session=session)

    assert answer(denied)["error"] == "access_denied"
    assert answer(denied)["state"] == "xyz"
    assert third_party.events() == ["consent.denied"]
    assert third_party.count(OneTimeRow) == 0


def test_prompt_none_without_consent_is_consent_required(third_party: FrontChannel):
    """R12: no silent answer without a consent."""
    step = third_party.begin(session=third_party.sign_in(), client_id="theirs", prompt="none")

    assert answer(step)["error"] == "consent_required"


def test_each_resource_needs_its_own_consent(third_party: FrontChannel):
    """K1: what was allowed at one resource server says nothing about another."""
    front = third_party
    front.resource(API, read_things="See your things")
    front.resource("https://b.example")
    front.client("shop", first_party=False, scope="openid read:things")
    session = front.sign_in()
    asking = {"session": session, "client_id": "shop"}

    first = front.begin(**asking, scope="openid read:things")
    front.decide(first, allow=True, session=session)
    same = front.begin(**asking, scope="openid read:things", prompt="none")
    other = front.begin(**asking, resource="https://b.example")
    front.decide(other, allow=True, session=session)
    other_again = front.begin(**asking, resource="https://b.example", prompt="none")

    assert front.grant(same).resources == (API,)
    assert isinstance(other, ShowConsent)
    assert "code" in answer(other_again)


def test_single_claims_are_asked_for_unless_a_scope_covers_them(third_party: FrontChannel):
    front = third_party
    session = front.sign_in()
    claims = json.dumps({"userinfo": {"email": None, "name": None}, "id_token": {"auth_time": None}})
    asking = {"session": session, "client_id": "theirs", "scope": "openid email"}

    front.decide(front.begin(**asking), allow=True, session=session)
    step = front.begin(**asking, claims=claims)
    question = front.flow.consent_question(step.uid, session=session, browser=BROWSER, now=front.now)
    front.decide(step, allow=True, session=session)

    assert isinstance(step, ShowConsent)
    assert [name for name, _ in question.items] == ["openid", "email", "name"]
    assert "code" in answer(front.begin(**asking, claims=claims, prompt="none"))


def test_request_without_any_scope_is_asked_for_too(third_party: FrontChannel):
    session = third_party.sign_in()

    step = third_party.begin(session=session, client_id="theirs", scope=None)
    third_party.decide(step, allow=True, session=session)
    again = third_party.begin(session=session, client_id="theirs", scope=None)

    assert isinstance(step, ShowConsent)
    assert isinstance(again, Respond)


def test_question_speaks_plainly(third_party: FrontChannel):
    """K2: client, scopes by their sentences, lasting access."""
    front = third_party
    front.resource(API, read_things="See your things")
    front.client("shop", first_party=False, scope="openid read:things offline_access")
    session = front.sign_in()
    step = front.begin(session=session, client_id="shop", scope="openid read:things offline_access")

    question = front.flow.consent_question(step.uid, session=session, browser=BROWSER, now=front.now)

    assert question.items == (("openid", "Confirm who you are"), ("read:things", "See your things"))
    assert question.offline
    assert question.resources == ((API, f"API at {API}"),)
    assert question.account.id == front.ada.id
    assert question.client.client_id == "shop"


def test_offline_access_is_dropped_where_there_are_no_refresh_tokens(front: FrontChannel):
    front.client("short", grant_types=["authorization_code"])

    step = front.begin(session=front.sign_in(), client_id="short", scope="openid offline_access")

    grant = front.grant(step)
    assert grant.scopes == ("openid",)
    assert not grant.offline
    assert not grant.refresh


def test_consent_of_one_account_is_not_taken_from_another(third_party: FrontChannel):
    """Somebody else signs in while the page is open: the answer is theirs only after they were asked."""
    front = third_party
    ada = front.sign_in()
    step = front.begin(session=ada, client_id="theirs")
    bob = front.sign_in(front.account("bob"))

    asked_again = front.decide(step, allow=True, session=bob)
    done = front.decide(step, allow=True, session=bob)

    assert isinstance(asked_again, ShowConsent)
    assert front.grant(done).account_id == bob.account_id


def test_answer_before_the_sign_in_counts_for_nothing(third_party: FrontChannel):
    """M5: no page can be skipped by posting to the next one."""
    step = third_party.begin(client_id="theirs")

    assert isinstance(third_party.decide(step, allow=True, session=None), ShowLogin)
    assert third_party.events() == []


def test_prompt_login_cannot_be_skipped_by_consenting(third_party: FrontChannel):
    session = third_party.sign_in()
    step = third_party.begin(session=session, client_id="theirs", prompt="login consent")

    assert isinstance(third_party.decide(step, allow=True, session=session), ShowLogin)


def test_not_me_on_the_consent_page_leads_to_a_sign_in(third_party: FrontChannel):
    front = third_party
    session = front.sign_in()
    step = front.begin(client_id="theirs")
    front.resume(step, session=session)

    other = front.flow.choose_account(
        step.uid, keep=False, session=session, browser=BROWSER, source=SOURCE, now=front.now
    )

    assert isinstance(other, ShowLogin)
    assert isinstance(front.resume(step.uid, session=session), ShowLogin)
    assert isinstance(front.resume(step.uid, session=front.sign_in_again(session)), ShowConsent)


@pytest.mark.parametrize("signed_in", [True, False])
def test_cancel_at_any_page_tells_the_client(third_party: FrontChannel, signed_in):
    front = third_party
    session = front.sign_in() if signed_in else None
    step = front.begin(session=session, client_id="theirs")

    done = front.flow.cancel(step.uid, session=session, browser=BROWSER, source=SOURCE, now=front.now)

    assert answer(done)["error"] == "access_denied"
    assert done.response.redirect_uri == CALLBACK
