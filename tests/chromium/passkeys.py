"""Virtual authenticators: Chromium's own stand-in for a fingerprint reader or a security key."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page


@dataclass
class Authenticator:
    """One authenticator of a browser."""

    session: CDPSession
    identifier: str

    def passkeys(self) -> list[dict[str, Any]]:
        """What it holds."""
        found: list[dict[str, Any]] = self.session.send(
            "WebAuthn.getCredentials", {"authenticatorId": self.identifier}
        )["credentials"]
        return found

    def answer_by_itself(self, *, does: bool) -> None:
        """Whether its person touches it as soon as they are asked."""
        self.session.send(
            "WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.identifier, "enabled": does}
        )

    def remove(self) -> None:
        """Take it away, as somebody who has lost it."""
        self.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.identifier})


def add_authenticator(page: Page, **options: Any) -> Authenticator:
    """Give the browser of this page an authenticator that knows its person and answers at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    added = session.send(
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
                **options,
            }
        },
    )
    return Authenticator(session, added["authenticatorId"])
