"""V8, V9: what a provider's claims mean here. Only what is well formed comes through."""

from dataclasses import replace
from typing import Any

import pytest

from idp.federation import Provider, ProviderKind, preview
from tests.unit.federation.conftest import Journey, make_provider

OIDC = make_provider("https://upstream.example")
PLAIN = make_provider("https://upstream.example", kind=ProviderKind.OAUTH2, claims={"sub": "id"})


def seen(provider: Provider, **claims: Any) -> dict[str, Any]:
    subject = {"id": "u-1"} if provider.kind is ProviderKind.OAUTH2 else {"sub": "ada"}
    return preview(provider, {**subject, **claims})


NOT_TRUE = [False, None, "true", "True", "1", "yes", 1, 1.0, [True], {"value": True}, ""]


@pytest.mark.parametrize("said", NOT_TRUE, ids=repr)
def test_what_is_not_literally_true_is_not_verified(journey: Journey, provider: Provider, said: Any) -> None:
    """V8: `email_verified` counts only as JSON's true; the address itself is still known."""
    identity = journey(provider, claims={"email_verified": ... if said is None else said})

    assert identity.email == "ada@upstream.example"
    assert identity.email_verified is False


def test_what_is_not_said_is_not_verified(journey: Journey, provider: Provider) -> None:
    """V8."""
    assert journey(provider, claims={"email_verified": None}).email_verified is False


@pytest.mark.parametrize(
    ("said", "verified"), [(True, True), ("true", True), ("True", False), (1, False), ("1", False)]
)
def test_apples_text(said: Any, verified: bool) -> None:
    """V8: Apple writes the text `true`; nobody else may, and no other text counts."""
    apple = replace(OIDC, email_verified_as_text=True)

    assert seen(apple, email="ada@x.example", email_verified=said)["email_verified"] is verified
    assert seen(OIDC, email="ada@x.example", email_verified=said)["email_verified"] is (said is True)


@pytest.mark.parametrize(
    "email",
    [
        None,
        7,
        True,
        "",
        "ada",
        "@x.example",
        "ada@",
        "ada king@x.example",
        "a@b\nBcc: c",
        "a" * 250 + "@x.example",
        ["a@b"],
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_address_that_is_none(email: Any) -> None:
    """V8: nothing is verified without it."""
    shown = seen(OIDC, email=email, email_verified=True)

    assert (shown["email"], shown["email_verified"]) == (None, False)


@pytest.mark.parametrize(
    "said", [None, "", " ", True, False, 0, -1, 1.5, [], {}, "a" * 256, "a\x00b"], ids=repr
)
@pytest.mark.parametrize(
    "provider", [OIDC, PLAIN, replace(PLAIN, numeric_subject=True)], ids=["OIDC", "OAuth", "number"]
)
def test_a_subject_that_is_none(provider: Provider, said: Any) -> None:
    """V9: empty, null, a truth value, a fraction: no key."""
    shown = preview(provider, {"sub": said, "id": said})

    assert (shown["subject"], shown["refused"]) == (None, "subject_invalid")


def test_numbers_as_subjects() -> None:
    """V9: refused, but where the mapping says that the provider counts its people (GitHub)."""
    counting = replace(PLAIN, numeric_subject=True)

    assert preview(counting, {"id": 583231})["subject"] == "583231"
    assert preview(counting, {"id": "583231"})["subject"] == "583231"
    assert preview(PLAIN, {"id": 583231})["refused"] == "subject_invalid"
    assert preview(OIDC, {"sub": 583231})["refused"] == "subject_invalid"


def test_the_subject_of_an_id_token_cannot_be_mapped() -> None:
    """V9: the key is `sub`, whatever a mapping says."""
    mapped = replace(OIDC, claims={"sub": "email"})

    assert preview(mapped, {"sub": "ada", "email": "eve@x.example"})["subject"] == "ada"


def test_paths() -> None:
    provider = replace(
        PLAIN,
        claims={
            "sub": "data.id",
            "email": "emails.0.value",
            "email_verified": "emails.0.verified",
            "name": "https://x.example/claims/name",
            "given_name": "names.1",
            "family_name": "names.x",
            "nickname": "data.nothing.there",
            "department": "data.department",
        },
    )
    claims = {
        "data": {"id": "u-1", "department": "Engines"},
        "emails": [{"value": "ada@x.example", "verified": True}],
        "https://x.example/claims/name": "Ada King",
        "names": ["King"],
    }

    shown = preview(provider, claims)

    assert shown["subject"] == "u-1"
    assert (shown["email"], shown["email_verified"]) == ("ada@x.example", True)
    assert shown["claims"] == {"name": "Ada King", "department": "Engines"}


def test_claims_that_are_not_well_formed() -> None:
    shown = seen(
        OIDC,
        name="  Ada  ",
        given_name=7,
        family_name="a\u202e\nb",
        nickname="",
        middle_name="m" * 256,
        locale={"country": "US", "language": "en"},
        picture="javascript:alert(1)",
        website="https://x.example/ada",
        profile="//x.example",
        address={"country": "UK"},
        groups=["admin"],
        role="admin",
    )

    assert shown["claims"] == {"name": "Ada", "website": "https://x.example/ada"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("x", "x"),
        (7, 7),
        (True, True),
        (["a", "b"], ["a", "b"]),
        (["a", 7], None),
        ({"a": 1}, None),
        (1.5, None),
    ],
    ids=repr,
)
def test_custom_claims(value: Any, kept: Any) -> None:
    shown = seen(replace(OIDC, claims={"department": "dept"}), dept=value)

    assert shown["claims"].get("department") == kept


@pytest.mark.parametrize("name", ["iss", "aud", "nonce", "acr", "amr", "auth_time", "sid"])
def test_claims_of_the_protocol_are_not_taken_over(name: str) -> None:
    assert seen(replace(OIDC, claims={name: "x"}), x="value")["claims"] == {}


def test_groups() -> None:
    """Only those that the mapping names: a group called `admin` elsewhere makes nobody an operator here."""
    provider = replace(OIDC, group_claim="realm.roles", group_map={"staff": "employees", "all": "employees"})

    assert seen(provider, realm={"roles": ["staff", "admin", "all", 7]})["groups"] == ["employees"]
    assert seen(provider, realm={"roles": "staff"})["groups"] == ["employees"]
    assert seen(provider, realm={"roles": {"staff": True}})["groups"] == []
    assert seen(OIDC, groups=["staff"])["groups"] == []


def test_groups_have_an_end() -> None:
    """As many as an account can be in; the first ones."""
    groups = [f"group {number}" for number in range(300)]
    provider = replace(OIDC, group_claim="groups", group_map={group: group for group in groups})

    assert seen(provider, groups=groups)["groups"] == groups[:200]


def test_a_preview_says_what_is_missing() -> None:
    provider = replace(OIDC, required_claims=("email", "name", "given_name"))

    assert seen(provider, email="ada@x.example", given_name="Ada")["missing"] == ["name"]


def test_a_list_of_addresses() -> None:
    """V8: the primary one, and whether that one is verified; the public one of the profile says nothing."""
    github = replace(PLAIN, numeric_subject=True, emails_endpoint="https://api.example/emails")
    first = {"email": "old@x.example", "primary": False, "verified": True}
    second = {"email": "ada@x.example", "primary": True, "verified": False}

    shown = preview(
        github, {"id": 1, "email": "public@x.example", "email_verified": True, "emails": [first, second]}
    )

    assert (shown["email"], shown["email_verified"]) == ("ada@x.example", False)
    for emails in ([first], [], None, {"message": "Not Found"}, [7]):
        shown = preview(
            github, {"id": 1, "email": "public@x.example", "email_verified": True, "emails": emails}
        )
        assert (shown["email"], shown["email_verified"]) == (None, False)
