"""What is remembered of verified tokens, and for how long."""

from idp.keys import Jwks
from idp.tokens.authentic import AuthenticTokens

KEYS = Jwks(b"{}", '"a"', 60)


def test_a_verified_token_is_known():
    memory: AuthenticTokens[str] = AuthenticTokens()
    memory.add("token", KEYS, "content")

    assert memory.find("token", KEYS) == "content"
    assert memory.find("token2", KEYS) is None


def test_other_keys_know_nothing():
    """T1: a key that is gone verifies nothing, whatever it verified before."""
    memory: AuthenticTokens[str] = AuthenticTokens()
    memory.add("token", KEYS, "content")

    assert memory.find("token", Jwks(b"{}", '"b"', 60)) is None
    assert memory.find("token", KEYS) == "content"


def test_the_memory_is_bounded():
    """X3: a flood of tokens takes a fixed amount of memory."""
    memory: AuthenticTokens[str] = AuthenticTokens(generation_size=10)
    for number in range(1000):
        memory.add(f"token {number}", KEYS, "content")

    assert sum(memory.find(f"token {number}", KEYS) is not None for number in range(1000)) <= 20


def test_what_is_asked_for_stays():
    memory: AuthenticTokens[str] = AuthenticTokens(generation_size=10)
    memory.add("asked for", KEYS, "content")
    for number in range(1000):
        memory.add(f"token {number}", KEYS, "content")
        assert memory.find("asked for", KEYS) == "content"


def test_no_token_is_kept():
    """X10: memory holds digests."""
    memory: AuthenticTokens[str] = AuthenticTokens()
    memory.add("a-very-secret-token", KEYS, "content")

    assert "a-very-secret-token" not in repr(vars(memory))
