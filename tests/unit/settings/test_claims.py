"""Claims of the operator's own: their names and scopes."""

import pytest

from idp.settings import Settings, SettingsError, load_settings


def test_claims_have_scopes():
    settings = load_settings(environ={"IDP_CLAIMS_CUSTOM": "department=profile, cost_center=groups"})

    assert settings.claims.scopes == {"department": "profile", "cost_center": "groups"}
    assert Settings().claims.scopes == {}


@pytest.mark.parametrize(
    "entry",
    [
        "department",
        "department=",
        "department=openid",
        "department=offline_access",
        "department=read:notes",
        "=profile",
        "Department=profile",
        "1st=profile",
        "a-b=profile",
        "name#de=profile",
        "a" * 65 + "=profile",
        *(
            f"{name}=profile"
            for name in (
                "sub", "iss", "aud", "exp", "iat", "nonce", "acr", "amr", "sid", "auth_time", "at_hash",
                "azp", "name", "email", "updated_at", "groups", "groups_elsewhere", "scope", "cnf",
            )
        ),
    ],
)  # fmt: skip
def test_names_that_are_none_or_taken(entry):
    """No claim of an operator's takes the place of one that a client relies on."""
    with pytest.raises(SettingsError):
        load_settings(environ={"IDP_CLAIMS_CUSTOM": entry})


@pytest.mark.parametrize(
    "entries", ["a=profile,a=groups", ",".join(f"a{number}=profile" for number in range(51))]
)
def test_each_once_and_not_too_many(entries):
    with pytest.raises(SettingsError):
        load_settings(environ={"IDP_CLAIMS_CUSTOM": entries})
