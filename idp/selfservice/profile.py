"""What a person says about themself: the standard claims they may change."""

from idp.selfservice.services import SelfServiceServices


class Profile:
    """Reads and changes a person's claims."""

    def __init__(self, services: SelfServiceServices) -> None:
        self._services = services
