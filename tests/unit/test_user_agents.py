"""A browser in words; nothing of what it says of itself comes out but words of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.user_agents import Device, describe

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        (CHROME, "Chrome", "Windows"),
        (f"{CHROME} Edg/140.0", "Edge", "Windows"),
        (f"{CHROME} OPR/110.0", "Opera", "Windows"),
        (SAFARI, "Safari", "macOS"),
        (ANDROID, "Chrome", "Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari",
            "iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"),
        ("curl/8.9.1", "curl", None),
        ("", None, None),
    ],
)
def test_the_browser_and_the_system(user_agent, browser, system):
    assert describe(user_agent) == Device(browser, system)


@given(st.text(max_size=300))
def test_no_text_of_a_header_comes_out(user_agent):
    known = {
        "Edge",
        "Opera",
        "Samsung Internet",
        "Vivaldi",
        "Firefox",
        "Chrome",
        "Chromium",
        "Safari",
        "curl",
    }
    systems = {"iPhone", "iPad", "Android", "ChromeOS", "Windows", "macOS", "Linux"}

    assert describe(user_agent).browser in {None, *known}
    assert describe(user_agent).system in {None, *systems}
