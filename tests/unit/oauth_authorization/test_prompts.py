"""Prompts: which page is needed and why; prompt=none never yields one."""

import json
from datetime import timedelta

import pytest

from idp.oauth import Reason, Respond, ShowConsent, ShowLogin, ShowSelectAccount
from idp.storage import InteractionRow
from tests.unit.oauth_authorization.conftest import CALLBACK, SOURCE, FrontChannel, answer


def test_nobody_signed_in_needs_a_sign_in(front: FrontChannel):
    """OpenID Connect Core §3.1.2.3: the person must be authenticated."""
    step = front.begin()

    assert isinstance(step, ShowLogin)
    assert step.reason is Reason.NO_SESSION


def test_signed_in_person_goes_straight_through_and_nothing_is_stored(front: FrontChannel):
    """A first-party client and a live session: one transaction, no interaction."""
    session = front.sign_in()

    step = front.begin(session=session)

    grant = front.grant(step)
    assert grant.auth_time == session.auth_time
    assert grant.sid == session.id
    assert front.count(InteractionRow) == 0
    assert front.events() == ["token.code.issued"]


@pytest.mark.parametrize(
    "changes",
    [{}, {"max_age": "0"}, {"max_age": "10"}, {"id_token_hint": "other"}, {"claims": "other"}],
)
def test_prompt_none_answers_login_required(front: FrontChannel, changes):
    """OpenID Connect Core §3.1.2.6: with prompt=none an error, never a page."""
    other = front.account("bob")
    session = front.sign_in() if changes else None
    front.clock.advance(timedelta(seconds=11))
    given = dict(changes)
    if "id_token_hint" in changes:
        given["id_token_hint"] = front.id_token(other)
    if "claims" in changes:
        given["claims"] = json.dumps({"id_token": {"sub": {"value": other.id}}})

    step = front.begin(session=session, prompt="none", **given)

    assert answer(step)["error"] == "login_required"


def test_prompt_none_with_session_and_hint_of_the_same_person_succeeds_silently(front: FrontChannel):
    """The hint may be expired (OpenID Connect Core §3.1.2.1)."""
    session = front.sign_in()
    hint = front.id_token(exp=1)

    step = front.begin(session=session, prompt="none", id_token_hint=hint)

    assert front.grant(step).account_id == front.ada.id


def test_hint_for_another_client_or_issuer_is_refused(front: FrontChannel):
    session = front.sign_in()

    for claims in ({"aud": "somebody"}, {"iss": "https://other.example"}, {"sub": 5}, {"aud": None}):
        step = front.begin(session=session, id_token_hint=front.id_token(**claims))
        assert answer(step)["error"] == "invalid_request"


def test_prompt_login_asks_again_and_is_satisfied_by_one_sign_in(front: FrontChannel):
    """OpenID Connect Core §3.1.2.1: prompt=login re-authenticates; later auth_time, same sid."""
    session = front.sign_in()
    front.clock.advance(timedelta(seconds=5))

    step = front.begin(session=session, prompt="login")
    still = front.resume(step, session=session)
    renewed = front.sign_in_again(session)
    done = front.resume(step, session=renewed)

    assert isinstance(step, ShowLogin)
    assert step.reason is Reason.PROMPT_LOGIN
    assert still == step
    grant = front.grant(done)
    assert grant.sid == session.id
    assert grant.auth_time == session.auth_time + timedelta(seconds=5)


@pytest.mark.parametrize(("max_age", "needed"), [("10000", False), ("1", True), ("0", True)])
def test_max_age(front: FrontChannel, max_age, needed):
    """OpenID Connect Core §3.1.2.1: older than max_age means signing in again; 0 always."""
    session = front.sign_in()
    front.clock.advance(timedelta(seconds=2))

    step = front.begin(session=session, max_age=max_age)

    assert isinstance(step, ShowLogin if needed else Respond)
    if isinstance(step, ShowLogin):
        assert step.reason is Reason.MAX_AGE
        renewed = front.sign_in_again(session)
        front.clock.advance(timedelta(seconds=30))  # the way back takes longer than max_age
        assert isinstance(front.resume(step, session=renewed), Respond)


def test_default_max_age_of_the_client_counts_when_none_is_sent(front: FrontChannel):
    front.client("strict", default_max_age=1)
    session = front.sign_in()
    front.clock.advance(timedelta(seconds=2))

    assert isinstance(front.begin(session=session, client_id="strict"), ShowLogin)
    assert isinstance(front.begin(session=session, client_id="strict", max_age="60"), Respond)


def test_other_person_than_the_hint_names(front: FrontChannel):
    """OpenID Connect Core §3.1.2.1: if another person signs in, the answer is login_required."""
    bob = front.account("bob")
    session = front.sign_in(bob)

    step = front.begin(session=session, id_token_hint=front.id_token(front.ada))
    wrong = front.resume(step, session=front.sign_in(bob))

    assert isinstance(step, ShowLogin)
    assert step.reason is Reason.ID_TOKEN_HINT
    assert answer(wrong)["error"] == "login_required"


def test_the_person_the_claims_parameter_names_signs_in(front: FrontChannel):
    bob = front.account("bob")
    claims = json.dumps({"userinfo": {"sub": {"value": front.ada.id}}})

    step = front.begin(session=front.sign_in(bob), claims=claims)
    done = front.resume(step, session=front.sign_in(front.ada))

    assert isinstance(step, ShowLogin)
    assert step.reason is Reason.CLAIMS_SUB
    assert front.grant(done).account_id == front.ada.id


def choose(front: FrontChannel, step, session, *, keep):
    return front.flow.choose_account(
        step.uid, keep=keep, session=session, browser="browser-one", source=SOURCE, now=front.now
    )


def test_select_account_keeps_the_present_one(front: FrontChannel):
    session = front.sign_in()

    step = front.begin(session=session, prompt="select_account")
    done = choose(front, step, session, keep=True)

    assert isinstance(step, ShowSelectAccount)
    assert front.grant(done).account_id == front.ada.id


def test_select_account_takes_another_one(front: FrontChannel):
    session = front.sign_in()
    step = front.begin(session=session, prompt="select_account")

    login = choose(front, step, session, keep=False)
    again = front.resume(step.uid, session=session)
    done = front.resume(step.uid, session=front.sign_in(front.account("bob")))

    assert isinstance(login, ShowLogin)
    assert login.reason is Reason.OTHER_ACCOUNT
    assert again == login
    assert front.grant(done).account_id != front.ada.id


def test_keeping_the_account_skips_no_other_page(front: FrontChannel):
    """M5: an answer to a page that is not the next one changes nothing."""
    session = front.sign_in()
    step = front.begin(session=session, prompt="login")

    assert choose(front, step, session, keep=True) == step


def test_prompt_consent_asks_even_first_party_clients(front: FrontChannel):
    session = front.sign_in()

    step = front.begin(session=session, prompt="consent", scope="openid offline_access")
    done = front.decide(step, allow=True, session=session)

    assert isinstance(step, ShowConsent)
    assert front.grant(done).offline
    assert front.grant(done).refresh


def test_native_client_is_asked_each_time(front: FrontChannel):
    """RFC 8252 §8.6, K1: a remembered consent is worth nothing where any app may take the answer."""
    front.client(
        "app",
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=["com.example.app:/cb"],
        first_party=False,
    )
    session = front.sign_in()
    asking = {"session": session, "client_id": "app", "redirect_uri": "com.example.app:/cb"}

    first = front.begin(**asking)
    front.decide(first, allow=True, session=session)
    second = front.begin(**asking)
    silent = front.begin(**asking, prompt="none")

    assert isinstance(second, ShowConsent)
    assert answer(silent)["error"] == "consent_required"
    assert "code" in answer(front.decide(second, allow=True, session=session))


def test_unsigned_or_foreign_hint_is_never_believed(front: FrontChannel):
    """T1, T4: an access token or an unsigned token is no ID token hint."""
    session = front.sign_in()
    access = front.keyring.sign(
        {"iss": "https://idp.example", "sub": front.ada.id, "aud": "web"}, typ="at+jwt", alg="RS256"
    )
    unsigned = "eyJhbGciOiJub25lIn0." + access.split(".")[1] + "."

    for hint in (access, unsigned, front.id_token()[:-4] + "AAAA"):
        step = front.begin(session=session, prompt="none", id_token_hint=hint)
        assert answer(step)["error"] == "invalid_request"
    assert step.response.redirect_uri == CALLBACK
