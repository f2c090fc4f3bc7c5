"""What pages show of a client: name, logo, links, and where the browser goes afterwards."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import url_for

from idp.clients import RegisteredClient
from idp.web.context import container

_MAX_TARGETS = 20
"""Enough for real clients; keeps the header short for strange ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientView:
    """A client as a template shows it; every text is escaped there (row K2)."""

    name: str
    initial: str
    """First letter of the name, shown when there is no logo."""
    logo: str | None
    """Address of the logo at our own origin (row R13)."""
    accent: str | None
    """Address of a style sheet with the client's own colour."""
    policy_uri: str | None
    tos_uri: str | None
    client_uri: str | None
    destination: str
    """Host of the redirect URI, or the scheme of a native app."""


def of(client: RegisteredClient, *, redirect_origin: str) -> ClientView:
    """The view of a client.

    Args:
        client: as registered.
        redirect_origin: ``https://rp.example`` or ``com.example.app:``.
    """
    name = client.name or client.client_id
    return ClientView(
        name=name,
        initial=next((character.upper() for character in name if character.isalnum()), "?"),
        logo=_logo(client),
        accent=_accent(client),
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        client_uri=client.client_uri,
        destination=urlsplit(redirect_origin).netloc or redirect_origin.rstrip(":/"),
    )


def form_targets(client: RegisteredClient, *, redirect_origin: str) -> tuple[str, ...]:
    """Where a form of this client's interaction may end, for the page's policy.

    Browsers apply ``form-action`` to every redirect after a form, also to those the client
    makes on its own when it has our answer, and where those lead nobody can know. So a client
    on https may go on to any https address; others to what they have registered.
    """
    if redirect_origin.startswith("https:"):
        return ("https:",)
    registered = (*client.redirect_uris, *client.post_logout_redirect_uris, client.client_uri)
    return (redirect_origin, *(uri for uri in registered[:_MAX_TARGETS] if uri is not None))


def _accent(client: RegisteredClient) -> str | None:
    if client.accent_color is None:
        return None
    return url_for("assets.client_accent", colour=client.accent_color.removeprefix("#"))


def _logo(client: RegisteredClient) -> str | None:
    """The logo's address, if we hold a copy of it."""
    if client.logo_uri is None:
        return None
    here = container()
    with here.database.transaction(write=False):
        row = here.repos.logos.get(client.client_id)
    return None if row is None else url_for("assets.client_logo", client_id=client.client_id)
