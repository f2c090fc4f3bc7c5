"""Every accent is readable; every wish for a language ends at one that exists."""

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from idp.languages import best_language, text_direction
from idp.web.pages.theme import DARK_CARD, LIGHT_CARD, accent, contrast

CHANNEL = st.integers(0, 255)


def rgb(css: str) -> tuple[int, int, int]:
    return int(css[1:3], 16), int(css[3:5], 16), int(css[5:7], 16)


@given(CHANNEL, CHANNEL, CHANNEL)
def test_every_accent_is_readable_on_both_themes(red, green, blue):
    """WCAG 2.2, 1.4.3: contrast of text at least 4.5 to 1."""
    colours = accent(f"#{red:02x}{green:02x}{blue:02x}")

    assert contrast(rgb(colours.light), LIGHT_CARD) >= 4.5
    assert contrast(rgb(colours.dark), DARK_CARD) >= 4.5
    assert contrast(rgb(colours.light), (255, 255, 255)) >= 4.5
    assert contrast(rgb(colours.dark), (11, 13, 18)) >= 4.5


def test_a_readable_accent_is_kept():
    assert accent("#2f5bea").light == "#2f5bea"


def test_contrast_of_black_and_white():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        ([], "en"),
        (["de-AT", "fr"], "de"),
        (["PT-br"], "pt_BR"),
        (["xx", "de"], "de"),
        (["zz-ZZ", "*"], "en"),
        (["", "../../etc"], "en"),
    ],
)
def test_the_first_wish_that_can_be_met(wishes, language):
    """OpenID Connect Core §3.1.2.1: unknown ui_locales are no error."""
    assert best_language(wishes, ("en", "de", "pt_BR")) == language


def test_every_language_is_written_in_its_direction():
    """As Unicode's data have it, which are too large for each worker. HTML has no third direction."""
    right_to_left = {name for name in locale_identifiers() if Locale.parse(name).text_direction == "rtl"}

    assert {name for name in locale_identifiers() if text_direction(name) == "rtl"} == right_to_left
