"""An authenticator that Chromium believes to be built into the machine.

Source: WebDriver BiDi's predecessor in the DevTools protocol, domain WebAuthn.
"""

from typing import Any

from playwright.sync_api import Page


class VirtualAuthenticator:
    """Belongs to one page; keeps passkeys and answers by itself, as a person's finger would."""

    def __init__(self, page: Page, **options: Any) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable", {"enableUI": False})
        made = self._devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "ctap2Version": "ctap2_1",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                    "defaultBackupEligibility": True,
                    "defaultBackupState": True,
                    **options,
                }
            },
        )
        self._id: str = made["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """The passkeys it keeps."""
        found = self._send("getCredentials")["credentials"]
        return [*found]

    def add(self, credential: dict[str, Any]) -> None:
        """Give it a passkey of another one, as a synced password manager has it."""
        self._send("addCredential", credential=credential)

    def answers(self, *, at_once: bool) -> None:
        """Whether somebody is there to touch it."""
        self._send("setAutomaticPresenceSimulation", enabled=at_once)

    def verifies(self, *, person: bool) -> None:
        """Whether it recognises the person."""
        self._send("setUserVerified", isUserVerified=person)

    def _send(self, command: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._devtools.send(
            f"WebAuthn.{command}", {"authenticatorId": self._id, **parameters}
        )
        return answer
