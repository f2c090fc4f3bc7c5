"""One canonical form for usernames and e-mail addresses (rows V7 and X5)."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from idp.accounts import (
    canonical_email,
    canonical_identifier,
    canonical_phone,
    normalized_email,
    normalized_username,
)
from idp.errors import Invalid

ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Ada", "ada"),
        ("  ada ", "ada"),
        ("ADA", "ada"),
        ("Straße", "STRASSE"),
        ("\u00e9milie", "e\u0301milie"),  # composed and decomposed
        ("ſara", "sara"),  # long s
        ("a\u200bda", "ada"),  # zero width space
        ("ada\ufe0f", "ada"),  # variation selector
        ("ΣΟΦΟΣ", "σοφος"),
        ("İpek", "i̇pek"),
        ("two  words", "two words"),
        ("Ada@EXAMPLE.org", "ada@example.org"),
        ("ada＠example.org", "ada@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@example。org", "ada@example.org"),
    ],
)
def test_spellings_of_one_name_are_one_name(left, right):
    """V7: identifiers are compared after one canonicalisation (case, NFKC, IDNA)."""
    assert canonical_identifier(left) == canonical_identifier(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ada", "ada1"),
        ("ada@example.org", "ada@example.com"),
        ("ada@straße.example", "ada@strasse.example"),  # two domains, though one word when folded
        ("adа", "ada"),  # Cyrillic а: another letter, which NFKC keeps apart
    ],
)
def test_different_names_stay_different(left, right):
    assert canonical_identifier(left) != canonical_identifier(right)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\u200b",
        "a\x00b",
        "a\nb",
        "ada\n",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\ud800b",
        "\u202eada",
        "ada\u2066",
        "x" * 255,
        "\ufdfa" * 100,  # each becomes 18 characters
        "\x1b[2Jada",
    ],
)
def test_what_can_be_no_name_is_refused(text):
    """X5: control characters, NUL, lone surrogates and direction overrides are refused at the edge."""
    with pytest.raises(Invalid) as caught:
        canonical_identifier(text)

    assert caught.value.field == "username"


@pytest.mark.parametrize(
    "text", ["李雷", "محمد", "नमस्ते", "👩‍🚀", "Ольга", "o'Brien", "a.b-c_d", "@ada", "ada@", "a@b@c", "𝒜𝒹𝒶"]
)
def test_names_of_all_scripts_are_names(text):
    canonical = canonical_identifier(text)

    assert canonical
    assert canonical_identifier(canonical) == canonical


@settings(deadline=None)
@given(ANY_TEXT)
@example("İ")
@example("ǰ@ǰ.example")
@example("a@ß.example")
@example("ͅ")
@example("ﬃ＠ﬃ.example")
@example("x\u00a8")
@example("a@xn--0.example")
@example("a@\u200d.x")
def test_canonical_form_is_stable_and_nothing_but_invalid_is_raised(text):
    """V7: canonicalising twice changes nothing, whatever the input."""
    try:
        canonical = canonical_identifier(text)
    except Invalid:
        return

    assert canonical_identifier(canonical) == canonical
    assert canonical == canonical.strip()
    canonical.encode()


@settings(deadline=None)
@given(st.from_regex(r"[a-zA-Zß.]{1,8}@[a-zA-Zäßéñ０-９-]{1,10}\.[a-z]{2,4}", fullmatch=True))
def test_addresses_have_one_canonical_form(text):
    try:
        canonical = canonical_email(text)
    except Invalid:
        return

    assert canonical == canonical_identifier(text)
    assert canonical_email(canonical) == canonical
    assert canonical.partition("@")[2].isascii()


def test_shown_forms_keep_the_persons_spelling():
    assert normalized_username("  Ada Lovelace ") == "Ada Lovelace"
    assert normalized_email("Ada.L@EXAMPLE.test") == "Ada.L@example.test"


@pytest.mark.parametrize(
    "text", ["ada", "@example.org", "ada@", "a b@example.org", "ada@exa mple.org", "a@b\x00.c", "a@-x.org"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Invalid) as caught:
        normalized_email(text)

    assert caught.value.field == "email"


@pytest.mark.parametrize(
    "text",
    [
        "+49301234567",
        "+49 30 1234567",
        " +49 (0)30 123-4567 ",
        "+49/30/1234567",
        "+49.30.1234567",
        "\uff0b49 30 1234567",
    ],
)
def test_a_number_with_its_country_has_one_form(text):
    """V7: E.164, however people write it; the same where a username is expected."""
    assert canonical_phone(text) == canonical_identifier(text) == "+49301234567"


def test_double_zero_means_plus_where_a_number_is_expected():
    """ITU-T E.123 §2.3; as a username it stays what it is, because usernames may be digits."""
    assert canonical_phone("0049 30 1234567") == "+49301234567"
    assert canonical_identifier("0049301234567") == "0049301234567"


@pytest.mark.parametrize(
    "text",
    ["030 1234567", "+", "+12", "+0123456789", "+" + "1" * 16, "+49 30 12345x", "a@b.example", "", "+49\n30"],
)
def test_what_is_no_international_number_is_refused(text):
    """V7: without its country the same digits are somebody else's number elsewhere."""
    with pytest.raises(Invalid):
        canonical_phone(text)
