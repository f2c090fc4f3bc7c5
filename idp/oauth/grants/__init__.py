"""The grants of the token endpoint, one file each.

Each one asks in the same order: is the client authenticated and registered for this grant,
is the request well formed, does the one statement that uses up the grant succeed. Only then
is anything signed. A failure is looked at closer afterwards, never before.
Called by oauth/server.py.
Reading order: base, client_credentials, authorization_code, refresh_token.
"""

from idp.oauth.grants.authorization_code import AuthorizationCodeGrant
from idp.oauth.grants.base import Grant
from idp.oauth.grants.client_credentials import ClientCredentialsGrant
from idp.oauth.grants.refresh_token import RefreshTokenGrant

__all__ = ["AuthorizationCodeGrant", "ClientCredentialsGrant", "Grant", "RefreshTokenGrant"]
