"""One canonical form for usernames, e-mail addresses and telephone numbers.

Two spellings that a person or a mail server takes for the same name must be one name here,
or somebody can register beside it (security row V7, CVE-2021-3754). Everything is compared
and made unique on the canonical form only.
"""

import re
import unicodedata
from typing import Final

import email_validator

from idp.errors import Invalid

MAX_LENGTH: Final = 254
"""Code points; the longest address a mail server accepts (RFC 5321 §4.5.3.1.3)."""

_MAX_ROUNDS: Final = 8

_INTERNATIONAL: Final = re.compile(r"\+[0-9(][0-9 ().\-/]{5,40}")
"""How people write a number with its country: ``+49 30 123456``, ``+44 (0)20 7946 0000``."""
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""A country code and a number, 15 digits at most. Source: ITU-T E.164 §6.1."""

# The library refuses .test, .local and the like, which is right for sign-up forms on the public
# internet and wrong for a company that runs its own identity provider. Emptying this list is the
# way its documentation names.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# Characters that turn the reading direction of what follows, so that a name shows as another.
_BIDI_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Unicode's Default_Ignorable_Code_Point: invisible, so no part of what a name is. NFKC_Casefold
# removes them as well (Unicode 15, section 3.13, D147).
_IGNORABLE_RANGES: Final = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_IGNORABLE: Final = dict.fromkeys(
    point for first, last in _IGNORABLE_RANGES for point in range(first, last + 1)
)


def canonical_identifier(text: str, *, field: str = "username") -> str:
    """The form in which a username, e-mail address or telephone number is compared and kept unique.

    NFKC, case folding and removal of invisible characters, repeated until nothing changes; the
    domain of an e-mail address becomes its ASCII form (IDNA), a number with its country code loses
    what is written between its digits. Outer white space is ignored and
    inner runs of it count as one space. ``canonical_identifier(canonical_identifier(x))`` is
    ``canonical_identifier(x)``.

    Args:
        text: what a person typed, any valid Unicode.
        field: the input to name in the error.

    Raises:
        Invalid: empty, longer than 254 characters, or with control characters, lone surrogates
            or direction overrides.

    Source: RFC 8265 §3.3 for the idea, Unicode 15 section 3.13 (D147), RFC 5891 for domains.
    """
    canonical = _checked(text, field)
    for _ in range(_MAX_ROUNDS):
        following = _fold(canonical)
        if following == canonical:
            return canonical
        canonical = _checked(following, field)
    raise Invalid("This name cannot be used. Please choose another spelling.", field=field)


def canonical_email(text: str) -> str:
    """The canonical form of an e-mail address.

    Raises:
        Invalid: not an e-mail address (field ``email``).
    """
    return canonical_identifier(normalized_email(text), field="email")


def canonical_phone(text: str, *, field: str = "phone") -> str:
    """A telephone number as it is stored, compared and sent to: ``+`` and its digits.

    The country has to be said: the same digits are somebody else's number elsewhere. ``00`` in front means
    the same as ``+``.

    Raises:
        Invalid: not a number with its country code.

    Source: ITU-T E.164 §6.1.
    """
    plain = " ".join(unicodedata.normalize("NFKC", _checked(text, field)).split())
    number = _e164("+" + plain[2:] if plain.startswith("00") else plain)
    if number is None:
        raise Invalid(
            "This is not a telephone number with its country code, such as +49 30 123456.", field=field
        )
    return number


def normalized_username(text: str, *, field: str = "username") -> str:
    """The form in which a username is shown: as typed, in NFC, without outer white space.

    Raises:
        Invalid: as :func:`canonical_identifier`.
    """
    canonical_identifier(text, field=field)
    return unicodedata.normalize("NFC", text).strip()


def normalized_email(text: str) -> str:
    """The form in which an address is stored and sent to clients: NFC, domain in lower case.

    Syntax only; whether mail arrives is proved by sending some.

    Raises:
        Invalid: not an e-mail address (field ``email``).

    Source: RFC 5322 §3.4.1, RFC 6531 §3.3.
    """
    address = _address(_checked(text, "email").strip())
    if address is None:
        raise Invalid("This is not an e-mail address, such as name@example.org.", field="email")
    return address.normalized


def _checked(text: str, field: str) -> str:
    """Refuse what can be part of no name, before any other code sees it (row X5)."""
    if not isinstance(text, str):
        raise Invalid("A name must be text.", field=field)
    if not text.strip():
        raise Invalid("A name must not be empty.", field=field)
    if len(text) > MAX_LENGTH:
        raise Invalid("A name may have at most 254 characters.", field=field)
    if any(character in _BIDI_OVERRIDES for character in text):
        raise Invalid("A name must not change the direction of writing.", field=field)
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise Invalid("A name must not contain control characters or line breaks.", field=field)
    return text


def _fold(text: str) -> str:
    """One round of folding; the caller repeats it until the text stays the same."""
    visible = unicodedata.normalize("NFKC", text).translate(_IGNORABLE)
    plain = " ".join(visible.split())
    number = _e164(plain)
    if number is not None:
        return number
    address = _address(plain) if "@" in plain else None
    if address is None:
        return unicodedata.normalize("NFKC", plain.casefold())
    # The domain must reach IDNA unfolded: case folding makes "straße.example" another domain.
    local, domain = address.local_part, address.ascii_domain
    return unicodedata.normalize("NFKC", local.casefold()) + "@" + domain


def _e164(text: str) -> str | None:
    if not _INTERNATIONAL.fullmatch(text):
        return None
    # "(0)" is dialled inside the country only.
    digits = "+" + re.sub(r"[^0-9]", "", text.replace("(0)", ""))
    return digits if _E164.fullmatch(digits) else None


def _address(text: str) -> email_validator.ValidatedEmail | None:
    try:
        return email_validator.validate_email(text, check_deliverability=False, globally_deliverable=False)
    except ValueError:  # EmailNotValidError and the UnicodeErrors of deeper layers
        return None
