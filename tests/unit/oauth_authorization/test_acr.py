"""How sure a client wants to be: wishes, demands, the client's registration, and what tokens then state."""

import json
from datetime import timedelta

import pytest

from idp.oauth import Reason, Respond, ShowLogin, ShowSignup
from tests.unit.oauth_authorization.conftest import BROWSER, FrontChannel, answer, uid_of

LOA1, LOA2, LOA3 = "urn:idp:loa:1", "urn:idp:loa:2", "urn:idp:loa:3"


def demanding(*values: str, essential: bool = True) -> str:
    return json.dumps({"id_token": {"acr": {"essential": essential, "values": list(values)}}})


@pytest.mark.parametrize(
    ("wish", "level", "reachable", "asked"),
    [
        (LOA2, 1, 2, True),
        (LOA2, 2, 3, False),
        (LOA2, 3, 3, False),
        (LOA3, 1, 2, True),  # as near as they can
        (LOA3, 2, 2, False),
        (LOA2, 1, 1, False),
        (f"urn:unheard:of {LOA2}", 1, 2, True),
        (f"{LOA1} {LOA3}", 1, 3, False),  # in order of preference
        ("urn:unheard:of gold", 1, 3, False),
    ],
)
def test_a_wish_is_worth_a_page_to_those_who_can_fulfil_it(
    front: FrontChannel, wish, level, reachable, asked
):
    """OpenID Connect Core §3.1.2.1: voluntary; a higher level satisfies a lower wish."""
    front.reachable = reachable

    step = front.begin(session=front.sign_in(level=level), acr_values=wish)

    assert isinstance(step, ShowLogin if asked else Respond)
    if isinstance(step, ShowLogin):
        assert step.reason is Reason.ACR
    else:
        assert front.grant(step).acr == f"urn:idp:loa:{level}"


def test_a_step_up_keeps_the_session_and_tells_the_time(front: FrontChannel):
    """RFC 9470 §5: after the further proof the answer has the new level and the new auth_time."""
    front.reachable = 2
    session = front.sign_in()
    front.clock.advance(timedelta(hours=1))
    step = front.begin(session=session, acr_values=LOA2)

    view = front.flow.describe(uid_of(step), BROWSER, front.now, session=session)
    grant = front.grant(front.resume(step, session=front.sign_in_again(session, level=2)))

    assert (view.required.level, view.required.must, view.steps_up) == (2, False, True)
    assert (grant.sid, grant.acr) == (session.id, LOA2)
    assert grant.auth_time == session.auth_time + timedelta(hours=1)


def test_a_wish_that_came_to_nothing_is_not_asked_for_twice(front: FrontChannel):
    """OpenID Connect Core §5.5.1.1: a voluntary acr that cannot be met is no failure."""
    front.reachable = 3
    session = front.sign_in()
    step = front.begin(session=session, acr_values=LOA3)

    again = front.resume(step, session=front.sign_in_again(session, level=2))

    assert front.grant(again).acr == LOA2


def test_a_wish_without_a_page_is_answered_with_what_there_is(front: FrontChannel):
    """OpenID Connect Core §5.5.1.1: "SHOULD return the session's current acr"."""
    front.reachable = 3

    step = front.begin(session=front.sign_in(), acr_values=LOA3, prompt="none")

    assert front.grant(step).acr == LOA1


def test_a_demand_is_asked_for_until_it_is_met(front: FrontChannel):
    """OpenID Connect Core §5.5.1.1: an essential acr that is not met is a failed sign-in."""
    session = front.sign_in()
    step = front.begin(session=session, claims=demanding(LOA2))
    view = front.flow.describe(uid_of(step), BROWSER, front.now, session=session)

    still = front.resume(step, session=front.sign_in_again(session))
    session = front.sign_in_again(front.sign_in(), level=2)

    assert isinstance(still, ShowLogin)
    assert (view.required.minimum, view.required.must) == (2, True)
    assert front.grant(front.resume(step, session=session)).acr == LOA2


def test_a_demand_without_a_page(front: FrontChannel):
    """OpenID Connect Core §3.1.2.6: a sign-in could help, so that is what is missing."""
    step = front.begin(session=front.sign_in(), claims=demanding(LOA2), prompt="none")

    assert answer(step)["error"] == "login_required"


@pytest.mark.parametrize("prompt", [None, "none"])
@pytest.mark.parametrize("level", [None, 1, 3])
def test_a_demand_that_nobody_can_meet(front: FrontChannel, prompt, level):
    """OpenID Connect Core Error Code unmet_authentication_requirements §3."""
    session = None if level is None else front.sign_in(level=level)

    step = front.begin(session=session, claims=demanding("urn:unheard:of", "gold"), prompt=prompt)

    assert answer(step)["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize(
    ("member", "is_met"),
    [
        ({"essential": True, "values": [2]}, False),
        ({"essential": True, "value": "urn:idp:loa:1 urn:idp:loa:2"}, False),
        ({"essential": True, "values": ["", True]}, False),
        ({"essential": True, "value": LOA1}, True),
        ({"essential": True, "values": ["gold", LOA1]}, True),
        ({"essential": True, "values": []}, True),
        ({"essential": True, "value": None}, True),
        ({"essential": True}, True),
        (None, True),
    ],
)
def test_odd_demands(front: FrontChannel, member, is_met):
    """OpenID Connect Core §5.5.1.1: what names a value is met by that value alone; the rest demands none."""
    step = front.begin(session=front.sign_in(), claims=json.dumps({"id_token": {"acr": member}}))

    assert answer(step).get("error") == (None if is_met else "unmet_authentication_requirements")


@pytest.mark.parametrize(
    ("level", "values", "stated"),
    [(3, [LOA2], LOA2), (3, [LOA1, LOA2], LOA2), (2, [LOA2, LOA3], LOA2), (3, [LOA3], LOA3)],
)
def test_a_demand_gets_a_value_it_named(front: FrontChannel, level, values, stated):
    """OpenID Connect Core §5.5.1.1: the acr "MUST match one of the requested values"."""
    step = front.begin(session=front.sign_in(level=level), claims=demanding(*values))

    assert front.grant(step).acr == stated


def test_a_wish_in_the_claims_parameter(front: FrontChannel):
    """OpenID Connect Core §5.5.1: without essential it is voluntary."""
    front.reachable = 2

    step = front.begin(session=front.sign_in(), claims=demanding(LOA2, essential=False))

    assert isinstance(step, ShowLogin)


def test_default_acr_values_of_the_client(front: FrontChannel):
    """OpenID Connect Registration §2: what a request says of acr overrides them."""
    front.reachable = 3
    front.client("careful", default_acr_values=[LOA2])
    session = front.sign_in()

    plain = front.begin(session=session, client_id="careful")
    other = front.begin(session=session, client_id="careful", acr_values=LOA1)
    demanded = front.begin(session=session, client_id="careful", claims=demanding(LOA1))

    assert isinstance(plain, ShowLogin)
    assert front.grant(other).acr == front.grant(demanded).acr == LOA1


def test_minimum_acr_of_the_client_holds_whatever_it_asks_for(front: FrontChannel):
    """M5: an operator's minimum is no wish, and no request lowers it."""
    front.client("bank", minimum_acr=LOA2)
    session = front.sign_in()

    for wish in ({}, {"acr_values": LOA1}, {"claims": demanding(LOA1)}):
        step = front.begin(session=session, client_id="bank", **wish)
        view = front.flow.describe(uid_of(step), BROWSER, front.now)
        assert (view.required.level, view.required.minimum) == (2, 2)
        assert isinstance(front.resume(step, session=session), ShowLogin)

    silent = front.begin(session=session, client_id="bank", prompt="none")
    assert answer(silent)["error"] == "login_required"
    assert isinstance(front.begin(session=front.sign_in(level=2), client_id="bank"), Respond)


def test_a_wish_beyond_the_minimum(front: FrontChannel):
    """RFC 9470: a client whose people all take two steps asks for more where it matters."""
    front.reachable = 3
    front.client("bank", minimum_acr=LOA2)

    step = front.begin(session=front.sign_in(level=2), client_id="bank", acr_values=LOA3)

    view = front.flow.describe(uid_of(step), BROWSER, front.now)
    assert (view.required.level, view.required.minimum) == (3, 2)


def test_another_session_of_the_browser_is_no_fresh_proof(front: FrontChannel):
    """M5: to switch to an account that is signed in beside is not to prove anything for prompt=login."""
    parked, session = front.sign_in(front.account("grace")), front.sign_in()
    front.clock.advance(timedelta(seconds=1))
    step = front.begin(session=session, prompt="login select_account")
    front.flow.choose_beside(uid_of(step), account_id=parked.account_id, browser=BROWSER, now=front.now)

    switched = front.resume(step, session=parked)
    front.clock.advance(timedelta(seconds=1))
    proved = front.resume(step, session=front.sign_in_again(parked))

    assert isinstance(switched, ShowLogin)
    assert switched.reason is Reason.PROMPT_LOGIN
    assert front.grant(proved).account_id == parked.account_id


def test_choosing_an_account_beside_answers_select_account(front: FrontChannel):
    """OpenID Connect Core §3.1.2.1: the choice holds for that account alone, and is no sign-in."""
    parked, session = front.sign_in(front.account("grace")), front.sign_in()
    front.clock.advance(timedelta(seconds=1))
    step = front.begin(session=session, prompt="select_account")
    front.flow.choose_beside(uid_of(step), account_id=parked.account_id, browser=BROWSER, now=front.now)

    unchanged = front.resume(step, session=session)
    done = front.resume(step, session=parked)

    assert not isinstance(unchanged, Respond)
    assert front.grant(done).account_id == parked.account_id
    assert front.grant(done).auth_time == parked.auth_time


def test_signing_in_answers_prompt_create(front: FrontChannel):
    """Initiating User Registration §4: whoever signs in on the way has an account; a live session has not."""
    front.allow_registration()
    session = front.sign_in()
    front.clock.advance(timedelta(seconds=1))

    step = front.begin(session=session, prompt="create")
    nobody = front.begin(prompt="create")
    grace = front.sign_in(front.account("grace"))

    assert isinstance(step, ShowSignup)
    assert isinstance(nobody, ShowSignup)
    assert isinstance(front.resume(step, session=session), ShowSignup)
    assert front.grant(front.resume(step, session=grace)).account_id == grace.account_id
