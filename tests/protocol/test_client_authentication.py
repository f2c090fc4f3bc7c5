"""Client authentication at the token endpoint (and, with the same code, at introspection and revocation).

| row        | MUST                                         | test                                          |
|------------|----------------------------------------------|-----------------------------------------------|
| 6749 2.3.1 | Basic and form, each as registered           | test_both_methods_work,                       |
|            |                                              | test_unregistered_method_is_refused           |
| 6749 2.3.1 | id and secret form-encoded inside Basic; raw | test_special_characters_in_a_secret           |
|            | is understood                                |                                               |
| 6749 5.2   | 401 with a challenge that has a realm        | test_failure_has_a_challenge                  |
| K6, 2.3    | one method per request                       | test_two_methods_are_refused,                 |
|            |                                              | test_contradicting_client_id_is_refused       |
| 2.4 (6)    | a public client with a secret, a non-ASCII   | test_public_client_with_a_secret,             |
|            | secret: no 500                               | test_non_ascii_secret                         |
| 2.4 (6b)   | a broken Basic header: no 500                | test_broken_basic_header                      |
| 2.4 (7)    | Basic and body in one request                | test_two_methods_are_refused                  |
| 2.4 (9)    | nothing from the query string, no duplicates | test_credentials_in_the_query,                |
|            |                                              | test_repeated_parameter                       |
| K5         | two secrets live during rotation, then one   | test_two_secrets_live_during_rotation         |
| K5         | a third ends the first; an overlap of 0 ends | test_third_secret_ends_the_first,             |
|            | at once                                      | test_overlap_of_zero                          |
| L2         | many failures slow the source down, and only | test_many_failures_are_slowed_down            |
|            | it                                           |                                               |
| X7         | unknown client and wrong secret look alike   | test_unknown_client_looks_like_a_wrong_secret |
"""

from base64 import b64encode
from http import HTTPStatus

import pytest

from tests.provider import Client, Provider
from tests.serving import reach
from tests.transport import Answer, Pairs

GRANT = {"grant_type": "client_credentials"}


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def with_header(provider: Provider, authorization: str, form: dict[str, str] | None = None) -> Answer:
    headers: Pairs = [("Authorization", authorization)]
    return provider.http.post("/token", {**GRANT, **(form or {})}, headers=headers)


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_both_methods_work(provider, auth_method):
    """RFC 6749 §2.3.1: HTTP Basic, and the form for those who registered it."""
    client = provider.machine(auth_method=auth_method)

    answer = provider.http.post("/token", {**GRANT, **client.body}, auth=client.auth)

    assert answer.status == HTTPStatus.OK


@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_unregistered_method_is_refused(provider, auth_method):
    """OIDC Core §9: the right secret by the other method is no authentication."""
    client = provider.machine(auth_method=auth_method)
    in_form = {"client_id": client.id, "client_secret": client.secret or ""}

    if auth_method == "client_secret_post":
        answer = provider.http.post("/token", GRANT, auth=(client.id, client.secret or ""))
    else:
        answer = provider.http.post("/token", {**GRANT, **in_form})

    assert outcome(answer) == (401, "invalid_client")
    assert f"registered to authenticate by {auth_method}," in answer.json()["error_description"]


def test_registered_method_is_told_to_its_owner_only(provider):
    """X7: a wrong secret by the other method learns nothing of the registration."""
    client = provider.machine(auth_method="client_secret_post")

    answer = provider.http.post("/token", GRANT, auth=(client.id, "wrong"))

    assert answer.json()["error_description"] == "Client authentication failed."


@pytest.mark.parametrize("secret", ["a b+c%2B&=/?:x", "100%", "%zz", "colon:in:it", '"quoted" \\ ~', "+"])
def test_special_characters_in_a_secret(provider, secret):
    """RFC 6749 §2.3.1: form-encoded before Base64 as the specification says, or raw as many clients do."""
    provider.machine(secret=secret)

    assert provider.http.post("/token", GRANT, auth=("robot", secret)).status == HTTPStatus.OK
    assert with_header(provider, basic(f"robot:{secret}")).status == HTTPStatus.OK


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_scheme_has_no_case(provider, robot, scheme):
    """RFC 9110 §11.1: the scheme's name is compared without case."""
    text = basic(f"{robot.id}:{robot.secret}").replace("Basic", scheme)

    assert with_header(provider, text).status == HTTPStatus.OK


@pytest.mark.parametrize("endpoint", ["/token", "/introspect", "/revoke"])
def test_failure_has_a_challenge(provider, robot, endpoint):
    """RFC 6749 §5.2, RFC 9110 §11.6.1, T12: 401, WWW-Authenticate with a realm, never stored."""
    form = {**GRANT, "token": "x"}

    for auth in (None, (robot.id, "wrong")):
        answer = provider.http.post(endpoint, form, auth=auth)
        assert outcome(answer) == (401, "invalid_client")
        assert (answer.header("WWW-Authenticate") or "").startswith('Basic realm="')
        assert answer.header("Cache-Control") == "no-store"


def test_unknown_client_looks_like_a_wrong_secret(provider, robot):
    """X7: the answer does not tell which client ids exist."""
    wrong = provider.http.post("/token", GRANT, auth=(robot.id, "wrong"))
    unknown = provider.http.post("/token", GRANT, auth=("nobody", "wrong"))

    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)


def test_two_methods_are_refused(provider, robot):
    """K6, RFC 6749 §2.3: more than one method in a request is a mistake, even if both are right."""
    posted = {"client_id": robot.id, "client_secret": robot.secret or ""}
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    asserted = {"client_assertion_type": kind, "client_assertion": "eyJhbGciOiJub25lIn0.e30."}

    for extra in (posted, {"client_secret": robot.secret or ""}, asserted):
        answer = provider.http.post("/token", {**GRANT, **extra}, auth=robot.auth)
        assert outcome(answer) in {(400, "invalid_request"), (401, "invalid_client")}, extra


def test_assertion_beside_a_posted_secret_is_refused(provider):
    """K6: the same with the secret in the form."""
    client = provider.machine(auth_method="client_secret_post")
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    answer = provider.http.post(
        "/token", {**GRANT, **client.body, "client_assertion_type": kind, "client_assertion": "x.y.z"}
    )

    assert outcome(answer) in {(400, "invalid_request"), (401, "invalid_client")}


def test_assertion_alone_authenticates_nobody(provider, spa, robot):
    """K6: private_key_jwt is not offered; an assertion does not turn a client into a public one."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {**GRANT, "client_id": robot.id, "client_assertion_type": kind, "client_assertion": "x.y.z"}

    assert outcome(provider.http.post("/token", form)) in {(400, "invalid_request"), (401, "invalid_client")}


def test_same_client_id_in_the_body_is_fine(provider, robot):
    """RFC 6749 §3.2.1: a client may name itself in the body as well."""
    answer = provider.http.post("/token", {**GRANT, "client_id": robot.id}, auth=robot.auth)

    assert answer.status == HTTPStatus.OK


def test_contradicting_client_id_is_refused(provider, robot):
    """Trap 9: a body client_id that differs from the Basic one is not ignored."""
    provider.machine("other")

    answer = provider.http.post("/token", {**GRANT, "client_id": "other"}, auth=robot.auth)

    assert answer.status in {400, 401}


def test_confidential_client_cannot_pass_as_public(provider, shop):
    """RFC 6749 §3.2.1: naming oneself is enough for public clients only."""
    form = {"grant_type": "authorization_code", "code": "x", "client_id": shop.id}

    assert outcome(provider.http.post("/token", form)) == (401, "invalid_client")


@pytest.mark.parametrize("secret", ["x", "é", "None", "null", " "])
def test_public_client_with_a_secret(provider, spa, secret):
    """Trap 6: a public client has no secret, so none is right; no exception either."""
    form = {"grant_type": "refresh_token", "refresh_token": "x"}

    by_basic = provider.http.post("/token", form, auth=(spa.id, secret))
    by_form = provider.http.post("/token", {**form, "client_id": spa.id, "client_secret": secret})

    assert outcome(by_basic) == (401, "invalid_client")
    assert outcome(by_form) == (401, "invalid_client")


@pytest.mark.parametrize("secret", ["é", "пароль", "😀", "\u202e", "a" * 5000])
@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_non_ascii_secret(provider, auth_method, secret):
    """Trap 6: a comparison that cannot take non-ASCII text must not be reached; 401, no exception."""
    client = provider.machine(auth_method=auth_method)
    wrong = Client(client.id, secret, auth_method=auth_method)

    answer = provider.http.post("/token", {**GRANT, **wrong.body}, auth=wrong.auth)

    assert outcome(answer) == (401, "invalid_client")


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic //46eA==",  # invalid UTF-8
        basic(b"\xff\xfe:x"),
        basic("robot"),  # no colon
        basic(":secret"),
        basic("robot:"),
        basic("robot:\x00"),
        basic("ro\x00bot:x"),
        basic("ro\nbot:x"),
        basic("%ff:%ff"),
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic é",
        "Basic cm9ib3Q6eA",  # no padding
        "Basic cm9ib3Q6eA== cm9ib3Q6eA==",
        "Bearer cm9ib3Q6eA==",
        'Digest username="robot"',
        "é",
        ":",
        basic("x" * 3000 + ":y"),
    ],
)
def test_broken_basic_header(provider, robot, authorization):
    """Trap 6b: whatever stands in the header, the answer is invalid_client; never an exception."""
    answer = with_header(provider, authorization)

    assert outcome(answer) == (401, "invalid_client")


def test_header_beyond_the_limit(provider, robot):
    """X3: a huge Authorization header is refused as too large."""
    answer = with_header(provider, basic("robot:" + "x" * 20_000))

    assert answer.status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def test_credentials_in_the_query(provider):
    """Trap 9, T13: a secret in the address would be in every log; it is refused, not used."""
    client = provider.machine(auth_method="client_secret_post")
    path = f"/token?client_id={client.id}&client_secret={client.secret}"

    assert provider.http.post(path, GRANT).status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "scope", "x"])
def test_repeated_parameter(provider, name):
    """R9, RFC 6749 §3.2: parameters are sent once, also those nobody knows."""
    client = provider.machine(auth_method="client_secret_post")
    form = [*GRANT.items(), *client.body.items(), ("scope", "jobs:run"), ("x", "1")]
    form.append((name, dict(form)[name]))

    assert outcome(provider.http.post("/token", form)) == (400, "invalid_request")


def test_unknown_parameters_are_ignored(provider, robot):
    """R9, RFC 6749 §3.2: unrecognised parameters are ignored, empty ones are absent."""
    form = {**GRANT, "foo": "bar", "audience": "x", "scope": "", "resource": "", "client_secret": ""}

    assert provider.http.post("/token", form, auth=robot.auth).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "client_id", ["", " ", "é", "robot\n", "ROBOT", "robot ", "acc_x", "a" * 5000, "' or 1=1"]
)
def test_client_ids_are_compared_exactly(provider, robot, client_id):
    """RFC 6749 §2.2: another text is another client; junk is nobody, not an error of ours."""
    answer = provider.http.post("/token", GRANT, auth=(client_id, robot.secret or ""))

    assert outcome(answer) == (401, "invalid_client")


def rotate(provider: Provider, client: Client, **options: int) -> Client:
    made = provider.container.admin.clients.rotate_secret(client.id, **options)
    provider.settle()
    return Client(client.id, made["client_secret"], client.redirect_uri, client.auth_method)


def works(provider: Provider, client: Client) -> bool:
    answer = provider.http.post("/token", {**GRANT, **client.body}, auth=client.auth)
    assert answer.status in {200, 401}
    return answer.status == HTTPStatus.OK


def test_two_secrets_live_during_rotation(provider, robot):
    """K5: the new secret works at once, the old one until the overlap ends."""
    new = rotate(provider, robot, overlap_days=7)

    assert (works(provider, robot), works(provider, new)) == (True, True)
    provider.advance(days=7, seconds=-1)
    assert (works(provider, robot), works(provider, new)) == (True, True)
    provider.advance(seconds=1)
    assert (works(provider, robot), works(provider, new)) == (False, True)


def test_third_secret_ends_the_first(provider, robot):
    """K5: never more than two."""
    second = rotate(provider, robot)
    provider.advance(seconds=1)
    third = rotate(provider, second)

    assert [works(provider, client) for client in (robot, second, third)] == [False, True, True]


def test_overlap_of_zero(provider, robot):
    """K5: for a secret that leaked."""
    new = rotate(provider, robot, overlap_days=0)

    assert (works(provider, robot), works(provider, new)) == (False, True)


def test_disabled_client_is_refused(provider, robot):
    """T16: a disabled client gets nothing, with the right secret either."""
    provider.container.admin.clients.disable(robot.id)
    provider.settle()

    assert not works(provider, robot)
    provider.container.admin.clients.enable(robot.id)
    provider.settle()
    assert works(provider, robot)


def test_deleted_client_is_refused(provider, robot):
    """T16: and so does a deleted one."""
    provider.container.admin.clients.delete(robot.id)
    provider.settle()

    assert not works(provider, robot)


def test_many_failures_are_slowed_down(new_provider):
    """L2: a source that fails too often gets 429 with Retry-After; another source notices nothing."""
    provider = new_provider(ratelimit={"enabled": True, "client_auth_failures_per_source": "5/minute"})
    robot = provider.machine()
    for _ in range(5):
        assert provider.http.post("/token", GRANT, auth=(robot.id, "wrong")).status == HTTPStatus.UNAUTHORIZED

    refused = provider.http.post("/token", GRANT, auth=(robot.id, "wrong"))

    assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
    assert int(refused.header("Retry-After") or 0) >= 1
    provider.transport = reach(provider.app, "198.51.100.9")
    assert works(provider, robot)


def test_right_secrets_are_never_slowed_down(new_provider):
    """L2: only failures count; a busy client is not a guesser."""
    provider = new_provider(ratelimit={"enabled": True, "client_auth_failures_per_source": "5/minute"})
    robot = provider.machine()

    assert all(works(provider, robot) for _ in range(30))
