"""Other providers on our pages: which are offered, in which order, and which one is meant."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask import Response, request

from idp.accounts import canonical_email
from idp.errors import Invalid
from idp.federation import Provider, ProviderKind
from idp.oauth import InteractionView
from idp.web.context import container
from idp.web.pages.cookies import PROVIDERS
from idp.web.pages.visit import is_secure

DRAWN: Final = frozenset(
    {"apple", "discord", "facebook", "github", "gitlab", "google", "linkedin", "microsoft", "slack", "x"}
)
"""Presets with a drawing in ``templates/federation/marks.html``; all others show their initial."""

_LEAD: Final = "idp_providers"
"""Makes the cookie's value as long as all our values are."""
_MOST_REMEMBERED: Final = 5


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider as a template shows it."""

    id: str
    name: str
    mark: str
    """Which drawing; empty for the initial."""

    @property
    def initial(self) -> str:
        """First letter of its name."""
        return next((character.upper() for character in self.name if character.isalnum()), "?")


def view_of(provider: Provider) -> ProviderView:
    """The view of a provider."""
    return ProviderView(provider.id, provider.name, mark_of(provider.preset))


def mark_of(preset: str) -> str:
    """Which drawing goes with a preset; empty for none."""
    return preset if preset in DRAWN else ""


def offered(view: InteractionView | None) -> tuple[Provider, ...]:
    """Those with a button, the last used in this browser first."""
    if view is not None and view.client.required_identity_provider is not None:
        required = required_by(view)
        return () if required is None else (required,)
    shown = [
        provider
        for provider in container().providers.enabled()
        if not provider.hidden and (view is None or view.client.allows_provider(provider.id))
    ]
    used = _last_used()
    return tuple(sorted(shown, key=lambda one: used.index(one.id) if one.id in used else len(used)))


def views(providers: Iterable[Provider]) -> list[ProviderView]:
    """The views of several."""
    return [view_of(provider) for provider in providers]


def origins(providers: Iterable[Provider]) -> tuple[str, ...]:
    """Where a button of these may lead to, for the page's policy."""
    return tuple(origin for provider in providers for origin in provider.authorization_origins)


def required_by(view: InteractionView) -> Provider | None:
    """The one provider through which people sign in to this client; ``None`` if it cannot be used."""
    provider = container().providers.find(view.client.required_identity_provider or "")
    return provider if provider is not None and provider.enabled else None


def straight_to(view: InteractionView) -> Provider | None:
    """The provider that somebody is sent to without being asked; ``None`` for nobody.

    A hint that names none, or one that the client's people may not use, says nothing.
    """
    if view.client.required_identity_provider is not None:
        return required_by(view)
    provider = None if view.idp_hint is None else container().providers.find(view.idp_hint)
    if provider is None or not provider.enabled or not view.client.allows_provider(provider.id):
        return None
    return provider


def home_of(identifier: str, view: InteractionView | None) -> Provider | None:
    """The provider that the domain of an e-mail address leads to.

    Security: decided by the domain alone, so that nobody learns whether there is such an account (row L6).
    """
    if not container().providers.has_homes:  # else each sign-in would take an address apart for nothing
        return None
    try:
        domain = canonical_email(identifier).rpartition("@")[2]
    except Invalid:
        return None
    provider = container().providers.for_email_domain(domain)
    if provider is None or not (view is None or view.client.allows_provider(provider.id)):
        return None
    return provider


def can_say_when(provider: Provider) -> bool:
    """Whether a sign-in there can be shown to be a new one, so that it proves again who somebody is."""
    return provider.kind is ProviderKind.OIDC and bool({"login", "max_age"} & set(provider.wishes))


def remember_provider(response: Response, provider_id: str) -> Response:
    """Put this provider first the next time. The cookie says nothing about the person."""
    others = [name for name in _last_used() if name != provider_id]
    value = ".".join([_LEAD, provider_id, *others[: _MOST_REMEMBERED - 1]])
    PROVIDERS.write(response, value, secure=is_secure())
    return response


def _last_used() -> list[str]:
    value = PROVIDERS.read(request, secure=is_secure()) or ""
    lead, _, names = value.partition(".")
    return names.split(".")[:_MOST_REMEMBERED] if lead == _LEAD and names else []
