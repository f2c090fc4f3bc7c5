"""Only real pictures become logos."""

import pytest

from idp.clients.logos import sniff_image


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<!doctype html>", None),
        (b"", None),
        (b"BM....", None),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
    ],
)
def test_the_type_comes_from_the_first_bytes(body, content_type):
    """A file called image/png that holds a script is not shown from our origin."""
    assert sniff_image(body) == content_type
