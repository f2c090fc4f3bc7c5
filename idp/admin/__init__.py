"""What operators do: accounts, clients, resource servers, other providers, signing keys and messages.

Each function is one transaction with its audit event, and tells the workers what changed.
Results are plain dictionaries, ready for JSON; a secret is in the result that made it and in
no other. Called by cli and jobs.
Reading order: context, accounts, clients, resources, providers, keys, messages, admin.
"""

from idp.admin.admin import Admin
from idp.admin.context import AdminContext
from idp.admin.providers import FederationServices

__all__ = ["Admin", "AdminContext", "FederationServices"]
