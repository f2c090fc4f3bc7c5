"""The refresh token grant: rotation, reuse, the grace window, narrowing."""

from datetime import timedelta

import pytest

PUBLIC = {"token_endpoint_auth_method": "none"}


@pytest.fixture
def app(back):
    """A public client: its refresh tokens rotate."""
    back.client("app", **PUBLIC)
    return App(back)


class App:
    """Presents itself by client_id alone."""

    def __init__(self, back) -> None:
        self._back = back

    def sign_in(self, **grant):
        response = self._back.exchange(self._back.code("app", **grant), auth=None, client_id="app")
        assert response.status == 200, response.body
        return response.body

    def refresh(self, token, **form):
        return self._back.refresh(token, **{"auth": None, "client_id": "app", **form})


def _error(response) -> str:
    assert response.status == 400, response
    return response.body["error"]


def test_a_public_clients_refresh_token_rotates(back, app):
    """T7."""
    first = app.sign_in()

    second = app.refresh(first["refresh_token"])

    assert second.status == 200
    assert second.body["refresh_token"] != first["refresh_token"]
    assert second.body["access_token"] != first["access_token"]
    assert app.refresh(second.body["refresh_token"]).status == 200


def test_a_confidential_client_keeps_its_refresh_token(back):
    """Decision D12."""
    tokens = back.sign_in()

    responses = [back.refresh(tokens["refresh_token"]) for _ in range(3)]

    assert [response.status for response in responses] == [200, 200, 200]
    assert {response.body["refresh_token"] for response in responses} == {tokens["refresh_token"]}


def test_inside_the_grace_window_the_same_child_is_given_again(back, app):
    """Decision D12: two tabs, or a lost answer."""
    token = app.sign_in()["refresh_token"]
    first = app.refresh(token).body
    back.clock.advance(timedelta(seconds=9))

    again = app.refresh(token).body

    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert back.userinfo(again["access_token"]).status == 200


def test_reuse_after_the_grace_window_kills_the_family(back, app):
    """T7: reuse kills the family and its access tokens."""
    token = app.sign_in()["refresh_token"]
    child = app.refresh(token).body
    back.clock.advance(timedelta(seconds=10))

    assert _error(app.refresh(token)) == "invalid_grant"
    assert _error(app.refresh(child["refresh_token"])) == "invalid_grant"
    assert back.userinfo(child["access_token"]).status == 401
    assert back.events().count("token.refresh.reused") == 1


def test_a_token_two_generations_old_is_reuse_even_inside_the_window(back, app):
    token = app.sign_in()["refresh_token"]
    grandchild = app.refresh(app.refresh(token).body["refresh_token"]).body

    assert _error(app.refresh(token)) == "invalid_grant"
    assert _error(app.refresh(grandchild["refresh_token"])) == "invalid_grant"


def test_a_client_may_have_no_grace_window(back):
    back.client("strict", rotate_refresh_tokens=True, refresh_token_grace=0)
    token = back.sign_in("strict")["refresh_token"]
    child = back.refresh(token, "strict").body

    assert _error(back.refresh(token, "strict")) == "invalid_grant"
    assert _error(back.refresh(child["refresh_token"], "strict")) == "invalid_grant"


def test_another_clients_token_is_refused_and_stays_alive(back, app):
    """T11."""
    token = app.sign_in()["refresh_token"]

    assert _error(back.refresh(token, "web")) == "invalid_grant"
    assert app.refresh(token).status == 200


def test_a_reused_token_of_another_client_revokes_nothing(back, app):
    token = app.sign_in()["refresh_token"]
    child = app.refresh(token).body["refresh_token"]
    back.clock.advance(timedelta(minutes=1))

    assert _error(back.refresh(token, "web")) == "invalid_grant"
    assert app.refresh(child).status == 200


@pytest.mark.parametrize("token", ["idp_rt_x", "junk", "☃", "idp_rt_" + "A" * 70, "x" * 8000])
def test_junk_is_refused(back, token):
    assert _error(back.refresh(token)) == "invalid_grant"


def test_a_changed_token_is_refused(back):
    token = back.sign_in()["refresh_token"]
    other = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]

    assert _error(back.refresh(other)) == "invalid_grant"
    assert back.refresh(token).status == 200


def test_the_refreshed_id_token_keeps_the_sign_in(back):
    """OIDC Core §12.2: same iss, sub, aud, auth_time; new iat; no nonce."""
    tokens = back.sign_in()
    before = back.claims(tokens["id_token"])
    back.clock.advance(timedelta(minutes=4))

    after = back.claims(back.refresh(tokens["refresh_token"]).body["id_token"])

    for name in ("iss", "sub", "aud", "auth_time", "sid", "acr", "amr"):
        assert after[name] == before[name]
    assert after["iat"] == before["iat"] + 240
    assert "nonce" not in after


def test_scopes_may_be_narrowed_for_one_token(back):
    """RFC 6749 §6, T10: the refresh token keeps the whole grant."""
    token = back.sign_in(scopes=("openid", "email"))["refresh_token"]

    assert back.refresh(token, scope="openid").body["scope"] == "openid"
    assert back.refresh(token).body["scope"] == "openid email"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "openid profile"}, "invalid_scope"),
        ({"scope": 'op"enid'}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ],
)
def test_more_than_was_granted_is_refused_and_the_token_lives(back, app, form, error):
    """T10; nothing is lost."""
    token = app.sign_in(scopes=("openid",))["refresh_token"]

    assert _error(app.refresh(token, **form)) == error
    back.clock.advance(timedelta(minutes=5))
    assert app.refresh(token).status == 200


def test_families_end_when_idle(back, app):
    """T9."""
    token = app.sign_in()["refresh_token"]
    back.clock.advance(timedelta(days=29))
    token = app.refresh(token).body["refresh_token"]
    back.clock.advance(timedelta(days=30))

    assert _error(app.refresh(token)) == "invalid_grant"


def test_families_end_however_busy(back, app):
    """T9: 90 days."""
    token = app.sign_in()["refresh_token"]
    for _ in range(4):
        back.clock.advance(timedelta(days=22))
        token = app.refresh(token).body["refresh_token"]
    back.clock.advance(timedelta(days=2))

    assert _error(app.refresh(token)) == "invalid_grant"


def test_no_access_token_outlives_its_family(back):
    back.client("brief", refresh_token_lifetime=400, refresh_token_idle_lifetime=400)
    token = back.sign_in("brief")["refresh_token"]
    back.clock.advance(timedelta(seconds=300))

    assert back.refresh(token, "brief").body["expires_in"] == 100


def test_a_disabled_account_or_client_stops_refreshing_at_once(back):
    """T16."""
    back.client("off")
    off = back.sign_in("off")["refresh_token"]
    mine = back.sign_in()["refresh_token"]
    back.clock.advance(timedelta(seconds=1))

    back.set_client_disabled("off", disabled=True)
    back.disable_account()

    assert back.refresh(off, "off").status == 401
    assert _error(back.refresh(mine)) == "invalid_grant"


def test_a_client_switched_on_again_gets_nothing_back(back):
    token = back.sign_in()["refresh_token"]
    back.clock.advance(timedelta(seconds=1))
    back.set_client_disabled("web", disabled=True)
    back.set_client_disabled("web", disabled=False)

    assert _error(back.refresh(token)) == "invalid_grant"


def test_the_epoch_of_the_deployment_ends_everything(back):
    """T16: a global "not before" is effective at once."""
    tokens = back.sign_in()
    back.clock.advance(timedelta(seconds=2))
    with back.database.transaction():
        back.repos.deployment.set_not_before(back.clock.now())
        back.repos.changes.bump("deployment", back.clock.now())
    back.feed.poll()

    assert _error(back.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert back.userinfo(tokens["access_token"]).status == 401
    assert back.introspect(tokens["refresh_token"]) == {"active": False}


def test_a_refresh_commits_once(back, app):
    token = app.sign_in()["refresh_token"]

    with back.database.statements.measure() as measured:
        assert app.refresh(token).status == 200

    assert measured.commits == 1


def test_a_machine_cannot_refresh(back):
    back.machine()

    assert _error(back.refresh(back.sign_in()["refresh_token"], "machine")) == "unauthorized_client"
