"""How sure a session is about the person: values of ``acr``."""

from typing import Final

ACR_SINGLE_FACTOR: Final = "urn:idp:loa:1"
"""One factor, such as a password (NIST SP 800-63B AAL1)."""

ACR_VALUES_SUPPORTED: Final = (ACR_SINGLE_FACTOR,)
"""What discovery announces, weakest first; only levels that a person can reach."""
