"""What can go wrong on the way out. `Unavailable` means: later it may work."""

from idp.errors import Refused


class Undeliverable(Refused):
    """The other side will never take this message; trying again does not help.

    Neither text names the recipient nor repeats what the message said: both are logged.
    """
