"""Every standard claim has its type (OpenID Connect Core §5.1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.accounts import STANDARD_CLAIMS, validate_claims
from idp.errors import Invalid

EVERYTHING = {
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "middle_name": "King",
    "nickname": "Addie",
    "preferred_username": "ada",
    "profile": "https://example.org/ada",
    "picture": "https://example.org/ada.png",
    "website": "http://ada.example",
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+44 20 7946 0000;ext=12",
    "phone_number_verified": True,
    "address": {
        "formatted": "12 St James's Square\nLondon",
        "street_address": "12 St James's Square",
        "locality": "London",
        "region": "Greater London",
        "postal_code": "SW1Y 4JH",
        "country": "United Kingdom",
    },
}


def test_an_account_can_hold_every_standard_claim():
    assert validate_claims(EVERYTHING) == EVERYTHING
    assert set(EVERYTHING) == set(STANDARD_CLAIMS)


@pytest.mark.parametrize(
    "groups", [[], ["staff"], ["b", "a"], ["x" * 256], [str(number) for number in range(200)]]
)
def test_an_account_can_be_in_groups(groups):
    assert validate_claims({"groups": groups}) == {"groups": groups}


@pytest.mark.parametrize("value", ["R&D", 0, -(2**53) + 1, False, ["a", "b"], "x" * 1024])
def test_a_claim_of_the_operators_own(value):
    assert validate_claims({"department": value}, {"department"}) == {"department": value}


@pytest.mark.parametrize(
    "value",
    ["", None, 2**53, 1.5, [], ["a", 1], [["a"]], {"a": 1}, "a\x00", "a\nb", "x" * 1025, ["a"] * 201],
    ids=repr,
)
def test_a_claim_of_the_operators_own_has_its_bounds(value):
    with pytest.raises(Invalid):
        validate_claims({"department": value}, {"department"})


def test_claims_that_people_read_may_carry_a_language():
    """Core §5.2: names followed by # and a BCP 47 tag."""
    claims = {
        "name": "Ada",
        "name#ja-Kana-JP": "エイダ",
        "family_name#de": "Lovelace",
        "website#fr": "https://a.example/fr",
    }

    assert validate_claims(claims) == claims


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 5),
        ("name", ""),
        ("name", None),
        ("name", "x" * 1025),
        ("name", "a\x00b"),
        ("name", "a\nb"),
        ("name", "\ud800"),
        ("profile", "javascript:alert(1)"),
        ("picture", "data:image/png;base64,AA=="),
        ("website", "https://"),
        ("website", "https://ada@evil.example"),
        ("website", 'https://a.example/"><script>'),
        ("website", "https://[::1"),
        ("birthdate", "10.12.1815"),
        ("birthdate", "1815-13-10"),
        ("zoneinfo", "Europe London"),
        ("locale", "english (uk)"),
        ("phone_number", "call me"),
        ("phone_number_verified", "true"),
        ("phone_number_verified", 1),
        ("address", "12 St James's Square"),
        ("address", {}),
        ("address", {"planet": "Earth"}),
        ("address", {"country": 5}),
        ("address", {"country": "a\x00"}),
        ("name#", "Ada"),
        ("name#de at", "Ada"),
        ("name#de\x00", "Ada"),
        ("birthdate#de", "1815-12-10"),
        ("phone_number_verified#de", True),
        ("shoe_size", 38),
        ("sub", "acc_1"),
        ("updated_at", 5),
        ("email", "a@b.example"),
        ("email_verified", True),
        ("exp", 5),
        ("groups", "staff"),
        ("groups", ["staff", "staff"]),
        ("groups", ["staff", 7]),
        ("groups", [""]),
        ("groups", ["x" * 257]),
        ("groups", ["a\nb"]),
        ("groups", [str(number) for number in range(201)]),
        ("groups#de", ["staff"]),
        ("groups_elsewhere", {"xid_1": ["staff"]}),
    ],
)
def test_wrongly_typed_or_foreign_claims_are_refused(name, value):
    with pytest.raises(Invalid):
        validate_claims({name: value})


def test_one_claim_cannot_be_given_twice_in_one_language():
    with pytest.raises(Invalid):
        validate_claims({"name#de": "Ada", "name#DE": "Eva"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted({*STANDARD_CLAIMS, "groups"})) | st.text(max_size=20)


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_nothing_but_invalid_is_raised(claims):
    try:
        checked = validate_claims(claims)
    except Invalid:
        return

    assert checked == claims
    assert validate_claims(checked) == checked
