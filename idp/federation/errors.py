"""What can go wrong between us and a provider.

The description is fit for a page and names nobody; ``detail`` is a short reason code for the audit log,
listed in docs/federation.md. Neither ever holds what the provider sent.
"""

from idp.errors import Refused, Unavailable

_REFUSED = "The sign-in at the other provider could not be confirmed. Please try again or choose another way."
_DENIED = "The sign-in at the other provider was cancelled."
_UNAVAILABLE = "The other provider cannot be reached right now. Please try again or choose another way."


class UpstreamRefused(Refused):
    """A provider's answer does not stand: a check failed, or it says no.

    Args:
        reason: the reason code, for example ``nonce_mismatch``.
    """

    def __init__(self, reason: str, *, description: str = _REFUSED) -> None:
        super().__init__(description, detail=reason)


class UpstreamDenied(UpstreamRefused):
    """The person said no at the provider; nothing is wrong."""

    def __init__(self, reason: str = "access_denied") -> None:
        super().__init__(reason, description=_DENIED)


class UpstreamUnavailable(Unavailable):
    """The provider gives no usable answer right now; another time it may.

    Args:
        reason: the reason code, for example ``token_endpoint_unreachable``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(_UNAVAILABLE, detail=reason)
