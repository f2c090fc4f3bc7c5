"""After a sign-out here: the offer to sign out at the provider, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.crypto import b64url_encode, random_token, token_digest
from idp.federation import Identities, Provider, ProviderDirectory, RelyingParty
from idp.onetime import OneTimeDrafts
from idp.storage import Database

_KIND: Final = "upstream-sign-out"
_OFFERED_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSignOut:
    """Remembers, for a browser, which session there has just ended here.

    Source: OpenID Connect RP-Initiated Logout §2.
    """

    database: Database
    providers: ProviderDirectory
    relying_party: RelyingParty
    identities: Identities
    drafts: OneTimeDrafts
    returns_to: str
    """Our signed-out page, which the operator registers there."""

    def offer(self, session_ids: Sequence[str], *, browser: str, now: datetime) -> None:
        """Note what may be offered after these sessions have ended; mostly nothing.

        Args:
            session_ids: sessions of this browser that have just ended.
            browser: value of the browser cookie.
            now: aware UTC time.
        """
        if not any(_has_sign_out(provider) for provider in self.providers.enabled()):
            return
        with self.database.transaction():
            for session_id in session_ids:
                came = self.identities.session_of(session_id)
                provider = None if came is None else self.providers.find(came.provider_id)
                if provider is not None and provider.enabled and _has_sign_out(provider):
                    self.drafts.keep(
                        _KIND,
                        binding=_binding(browser),
                        account_id=None,
                        payload={"session": session_id, "provider": provider.id},
                        lifetime=_OFFERED_FOR,
                        now=now,
                    )
                    return

    def offered(self, browser: str, now: datetime) -> Provider | None:
        """Where this browser may sign out, too."""
        if not any(_has_sign_out(provider) for provider in self.providers.enabled()):
            return None
        with self.database.transaction(write=False):
            draft = self.drafts.find(_KIND, binding=_binding(browser), now=now)
        return None if draft is None else self.providers.find(draft.payload["provider"])

    def take(self, browser: str, now: datetime) -> str | None:
        """Where to send the browser, once; ``None`` if nothing is offered, or the provider is down."""
        with self.database.transaction():
            draft = self.drafts.claim(_KIND, binding=_binding(browser), now=now)
            came = None if draft is None else self.identities.session_of(draft.payload["session"])
        provider = None if came is None else self.providers.find(came.provider_id)
        if came is None or provider is None:
            return None
        return self.relying_party.logout_url(
            provider,
            came.id_token,
            post_logout_redirect_uri=self.returns_to,
            state=random_token(),
        )


def _has_sign_out(provider: Provider) -> bool:
    """Whether it may have an address to sign out at; one that publishes its own is asked when needed."""
    return provider.end_session_endpoint is not None or (provider.issuer is not None and provider.discovery)


def _binding(browser: str) -> str:
    return b64url_encode(token_digest("sign-out-browser", browser))
