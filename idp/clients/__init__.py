"""Clients: the applications that send people and machines here.

Owns registered clients, the rules their metadata must keep, redirect URI matching, client
secrets, logos, and the process cache that answers "who is this client?" without a query.
Does not authenticate a request (oauth/) and issues nothing (tokens/).
Called by oauth, admin and the entrances.
Reading order: redirect_uris, uris, metadata, secrets, registered, directory, registry, logos.
"""

from idp.clients.directory import ClientDirectory
from idp.clients.logos import Logo, Logos, LogoUnusable, fetch_logo
from idp.clients.metadata import CONFIDENTIAL_METHODS, GRANT_TYPES, validate_client_id, validate_metadata
from idp.clients.redirect_uris import validate_redirect_uri
from idp.clients.registered import RegisteredClient
from idp.clients.registry import MAX_OVERLAP, Clients

__all__ = [
    "CONFIDENTIAL_METHODS",
    "GRANT_TYPES",
    "MAX_OVERLAP",
    "ClientDirectory",
    "Clients",
    "Logo",
    "LogoUnusable",
    "Logos",
    "RegisteredClient",
    "fetch_logo",
    "validate_client_id",
    "validate_metadata",
    "validate_redirect_uri",
]
