"""RP-initiated logout: at once only with a valid hint, never to an unregistered address."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.oauth import Confirm, Done, ShowLogin, ShownError
from tests.unit.oauth_authorization.conftest import GOODBYE, SOURCE, FrontChannel


def begin(front: FrontChannel, *pairs, session=None, **params):
    sent = [*params.items(), *pairs]
    return front.logout.begin(sent, session=session, source=SOURCE, now=front.now)


def is_live(front: FrontChannel, session) -> bool:
    with front.database.transaction(write=False):
        row = front.repos.sessions.get(session.id)
        return row is not None and row.ended_at is None


def test_valid_hint_and_registered_uri_end_the_session_at_once(front: FrontChannel):
    """S5: afterwards the session is dead; the person ends at the client with exactly that state."""
    session = front.sign_in()
    state = "a b&c=ü"

    step = begin(
        front, session=session, id_token_hint=front.id_token(), post_logout_redirect_uri=GOODBYE, state=state
    )

    assert isinstance(step, Done)
    assert step.ended
    assert not is_live(front, session)
    assert step.location.startswith(GOODBYE + "?")
    assert parse_qsl(urlsplit(step.location).query) == [("state", state)]
    assert isinstance(front.begin(session=session), ShowLogin)
    assert "session.ended" in front.events()


def test_no_state_sent_none_returned(front: FrontChannel):
    step = begin(
        front, session=front.sign_in(), id_token_hint=front.id_token(), post_logout_redirect_uri=GOODBYE
    )

    assert step.location == GOODBYE


def test_hint_alone_ends_at_the_signed_out_page(front: FrontChannel):
    step = begin(front, session=front.sign_in(), id_token_hint=front.id_token(), state="x")

    assert isinstance(step, Done)
    assert step.location is None


@pytest.mark.parametrize("params", [{}, {"state": "x"}, {"client_id": "web"}, {"logout_hint": "ada"}])
def test_without_hint_the_person_is_asked(front: FrontChannel, params):
    """S14: any page of the web can send a browser here."""
    session = front.sign_in()

    step = begin(front, session=session, ui_locales="de", **params)

    assert isinstance(step, Confirm)
    assert step.ui_locales == ("de",)
    assert is_live(front, session)


def test_hint_of_another_person_is_no_permission(front: FrontChannel):
    session = front.sign_in(front.account("bob"))

    step = begin(
        front,
        session=session,
        id_token_hint=front.id_token(front.ada),
        post_logout_redirect_uri=GOODBYE,
    )

    assert isinstance(step, Confirm)
    assert is_live(front, session)


def test_confirmation_ends_the_session_and_keeps_the_parameters(front: FrontChannel):
    session = front.sign_in()
    asked = begin(front, session=session, client_id="web", post_logout_redirect_uri=GOODBYE, state="s")
    assert isinstance(asked, Confirm)

    step = front.logout.confirm(asked.params, session=session, source=SOURCE, now=front.now)

    assert step.location == GOODBYE + "?state=s"
    assert not is_live(front, session)


def test_address_nobody_vouches_for_is_not_followed(front: FrontChannel):
    """S14: without hint and client_id even a registered address proves nothing."""
    session = front.sign_in()
    asked = begin(front, session=session, post_logout_redirect_uri=GOODBYE)
    assert isinstance(asked, Confirm)

    step = front.logout.confirm(asked.params, session=session, source=SOURCE, now=front.now)

    assert step.ended
    assert step.location is None


@pytest.mark.parametrize(
    "uri", [GOODBYE + "?a=b", GOODBYE + "/", "https://evil.example/", "javascript:alert(1)", "//evil.example"]
)
@pytest.mark.parametrize("with_hint", [True, False])
def test_unregistered_address_is_an_error_page(front: FrontChannel, uri, with_hint):
    """S14: a registered address with something added is another address."""
    session = front.sign_in()
    params = {"id_token_hint": front.id_token()} if with_hint else {"client_id": "web"}

    with pytest.raises(ShownError) as caught:
        begin(front, session=session, post_logout_redirect_uri=uri, **params)

    assert caught.value.parameter == "post_logout_redirect_uri"
    assert is_live(front, session)


def test_forged_hint_is_an_error_page(front: FrontChannel):
    session = front.sign_in()
    token = front.id_token()
    unsigned = "eyJhbGciOiJub25lIn0." + token.split(".")[1] + "."

    for hint in (token[:-6] + "AAAAAA", unsigned, "junk", front.id_token(iss="https://other.example")):
        with pytest.raises(ShownError) as caught:
            begin(front, session=session, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)
        assert caught.value.parameter == "id_token_hint"
    assert is_live(front, session)


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"client_id": "unknown"}, "client_id"),
        ({"state": "a\x00b"}, "state"),
        ({"state": "a" * 4097}, "state"),
    ],
)
def test_wrong_parameters_are_shown(front: FrontChannel, params, parameter):
    with pytest.raises(ShownError) as caught:
        begin(front, session=front.sign_in(), **params)

    assert caught.value.parameter == parameter


def test_client_id_must_fit_the_hint(front: FrontChannel):
    """RP-Initiated Logout §2: client_id and the hint's audience must match."""
    front.client("other")

    with pytest.raises(ShownError) as caught:
        begin(front, session=front.sign_in(), client_id="other", id_token_hint=front.id_token())

    assert caught.value.parameter == "client_id"


def test_repeated_parameters_are_refused(front: FrontChannel):
    """R9."""
    with pytest.raises(ShownError, match="state"):
        begin(front, ("state", "1"), ("state", "2"), session=front.sign_in())


def test_nobody_signed_in_needs_no_question(front: FrontChannel):
    with_hint = begin(front, id_token_hint=front.id_token(), post_logout_redirect_uri=GOODBYE)

    assert with_hint.location == GOODBYE
    assert begin(front) == Done(redirect_uri=None, state=None, ended=())
    assert isinstance(begin(front, client_id="web", post_logout_redirect_uri=GOODBYE), Confirm)


def test_logout_ends_the_families_of_the_session_but_offline_ones(front: FrontChannel):
    session = front.sign_in()
    online, offline = front.family(session, offline=False), front.family(session, offline=True)

    front.logout.sign_out(session=session, source=SOURCE, now=front.now)

    with front.database.transaction(write=False):
        assert front.repos.families.get(online).revoked_at == front.now
        assert front.repos.families.get(offline).revoked_at is None


def test_second_sign_out_changes_nothing(front: FrontChannel):
    session = front.sign_in()

    first = front.logout.sign_out(session=session, source=SOURCE, now=front.now)
    second = front.logout.sign_out(session=session, source=SOURCE, now=front.now)

    assert (bool(first.ended), bool(second.ended)) == (True, False)
    assert front.events().count("session.ended") == 1
