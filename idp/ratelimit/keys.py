"""Names under which limits are counted."""

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from idp.crypto import b64url_encode, token_digest

_IPV6_PREFIX = 64
_HOST_BITS = 128 - _IPV6_PREFIX


def normalised_source(address: str) -> str:
    """One name for all addresses that one subscriber can choose among.

    An IPv6 subscriber holds at least a /64, so the whole of it counts as one source; an
    IPv4 address written as IPv6 counts as itself. Anything else stays as it is.
    """
    try:
        parsed = IPv6Address(address)
    except AddressValueError:
        return _normalised_ipv4(address)
    mapped = parsed.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    network = IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS)
    return f"{network}/{_IPV6_PREFIX}"


@lru_cache(maxsize=1024)
def counter_key(limit: str, key: str) -> str:
    """The name in the store: of fixed size whatever was asked, and without the address itself.

    Args:
        limit: name of the limit.
        key: one or several words, separated by a space; addresses among them are normalised.
    """
    words = " ".join(normalised_source(word) for word in key.split(" "))
    return b64url_encode(token_digest(f"ratelimit:{limit}", words)[:16])


def _normalised_ipv4(address: str) -> str:
    try:
        return str(IPv4Address(address))
    except AddressValueError:
        return address
