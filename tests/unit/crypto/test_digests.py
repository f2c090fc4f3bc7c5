"""Keyed digests are those of RFC 2104, whatever the key and the message."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from idp.crypto import hmac_sha256, keyed_digest


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_the_digest_is_that_of_the_standard_library(key, message):
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


def test_one_key_serves_many_messages():
    digests = [hmac_sha256(b"k" * 32, bytes([number])) for number in range(50)]

    assert digests == [hmac.digest(b"k" * 32, bytes([number]), "sha256") for number in range(50)]


def test_the_label_keeps_kinds_apart():
    assert keyed_digest(b"k" * 32, "a", "value") != keyed_digest(b"k" * 32, "b", "value")
