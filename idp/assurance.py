"""How sure a sign-in is about the person: values of ``acr``, and their order."""

from typing import Final

ACR_SINGLE_FACTOR: Final = "urn:idp:loa:1"
"""One factor, such as a password (NIST SP 800-63B AAL1)."""

ACR_TWO_FACTORS: Final = "urn:idp:loa:2"
"""Two different factors, such as a password and a code from a generator (AAL2)."""

ACR_PHISHING_RESISTANT: Final = "urn:idp:loa:3"
"""Two factors of which one cannot be given away to a false site, such as a passkey that verifies the
person."""

ACR_VALUES_SUPPORTED: Final = (ACR_SINGLE_FACTOR, ACR_TWO_FACTORS, ACR_PHISHING_RESISTANT)
"""What discovery announces, weakest first; only levels that a person can reach."""

HIGHEST_LEVEL: Final = len(ACR_VALUES_SUPPORTED)

_LEVELS: Final = {acr: level for level, acr in enumerate(ACR_VALUES_SUPPORTED, start=1)}


def level_of(acr: str) -> int:
    """The place of a value in the ladder, 1 to 3; 0 for a value that is none of ours."""
    return _LEVELS.get(acr, 0)
