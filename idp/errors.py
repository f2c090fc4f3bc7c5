"""Five families of errors; ``web/`` and ``cli/`` map them at the door.

Every error carries a public ``description``, safe to show to anyone, and a private
``detail`` for the log.
"""

from datetime import timedelta


class IdpError(Exception):
    """Base of all errors raised on purpose. Never raised itself."""

    def __init__(self, description: str, *, detail: str = "") -> None:
        super().__init__(description)
        self.description = description
        """Public text: says what to change, names no secret and no internals."""
        self.detail = detail
        """Private text for the log."""


class NotFound(IdpError):
    """What was named does not exist, or must not be seen by the caller."""


class Conflict(IdpError):
    """The change contradicts the present state, for example a name that is taken."""


class Refused(IdpError):
    """Credentials or policy say no.

    ``retry_after`` tells when asking again makes sense; ``None`` when time does not help.
    """

    def __init__(self, description: str, *, detail: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(description, detail=detail)
        self.retry_after = retry_after


class Invalid(IdpError):
    """The input is wrong; ``field`` names the part that has to change."""

    def __init__(self, description: str, *, field: str, detail: str = "") -> None:
        super().__init__(description, detail=detail)
        self.field = field


class Unavailable(IdpError):
    """Something needed for a safe answer is not there right now; ask again later.

    ``retry_after`` becomes the ``Retry-After`` header.
    """

    def __init__(
        self,
        description: str = "The service cannot answer right now. Please try again in a moment.",
        *,
        detail: str = "",
        retry_after: timedelta = timedelta(seconds=2),
    ) -> None:
        super().__init__(description, detail=detail)
        self.retry_after = retry_after
