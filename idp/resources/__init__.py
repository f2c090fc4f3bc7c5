"""Resource servers: the APIs that access tokens are made for.

Owns their identifiers, the scopes they define with the sentence people read, and the process
cache that answers "whose scope is this?". Does not decide who gets a token (oauth/).
Called by oauth, admin and the entrances.
Reading order: rules, directory, registry.
"""

from idp.resources.directory import ResourceDirectory
from idp.resources.registry import Resources
from idp.resources.rules import OIDC_SCOPES, ResourceServer, validate_identifier, validate_resource

__all__ = [
    "OIDC_SCOPES",
    "ResourceDirectory",
    "ResourceServer",
    "Resources",
    "validate_identifier",
    "validate_resource",
]
