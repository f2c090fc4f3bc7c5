"""What can be wrong with a token or a signing key."""

from idp.errors import Refused, Unavailable


class InvalidToken(Refused):
    """The token is not one of ours, was changed, or is of another type.

    One public text for all causes; ``detail`` names the cause for the log and never holds
    the token.
    """

    def __init__(self, detail: str) -> None:
        super().__init__("The token is not valid.", detail=detail)


class SigningKeyUnreadable(Unavailable):
    """A stored signing key cannot be opened with this deployment's root key."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            f"Signing key {kid} cannot be opened: it was sealed with another root key."
            " Restore the root key that belongs to this database, or revoke the key.",
            detail=f"kid={kid}",
        )
