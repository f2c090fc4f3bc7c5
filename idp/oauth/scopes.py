"""Scopes and resources: the vocabulary, what a request is granted, and whom a token is for.

A scope belongs to OpenID Connect, to a registered resource server, or to the client's own
registration. One token has one audience (row T5) and carries only scopes that mean something
to it (RFC 9068 §2.2.3). Both channels ask here: the authorization endpoint, and every grant.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from authlib.oauth2.rfc6749.errors import InvalidScopeError

from idp.clients import RegisteredClient
from idp.oauth.errors import InvalidTargetError, quotable
from idp.oauth.remembered import Remembered
from idp.resources import OIDC_SCOPES, ResourceDirectory, ResourceServer

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"

MAX_SCOPES = 100
"""More values than this in one request are refused (row X3)."""

_OIDC_SCOPES = frozenset(OIDC_SCOPES)
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


class GrantedScopes(NamedTuple):
    """What an authorization request may get, before anybody is asked for consent."""

    scopes: tuple[str, ...]
    """In the order they were asked for."""
    resources: tuple[str, ...]
    """Resource servers tokens of this grant can be for, by identifier; without the issuer."""
    default_audience: str | None
    """Whom a token is for when its request names no ``resource``; ``None``: it has to name one."""


class TokenTarget(NamedTuple):
    """Whom one access token is for, and what it may carry there."""

    audience: str
    scopes: tuple[str, ...]
    resource_server: ResourceServer | None
    """``None`` when the audience is the issuer (userinfo)."""


def parse_scope(text: str | None) -> tuple[str, ...]:
    """The distinct scope values of a ``scope`` parameter, in the order of their first mention.

    Absent or empty gives no scopes.

    Raises:
        InvalidScopeError: a character no scope may have, or more than ``MAX_SCOPES`` values.

    Source: RFC 6749 §3.3.
    """
    if not text:
        return ()
    values = tuple(dict.fromkeys(value for value in text.split(" ") if value))
    if len(values) > MAX_SCOPES:
        raise InvalidScopeError(f"The scope parameter has more than {MAX_SCOPES} values.")
    if not all(_SCOPE_TOKEN.fullmatch(value) for value in values):
        raise InvalidScopeError("The scope parameter has characters that are not allowed in a scope.")
    return values


def format_scope(scopes: Iterable[str]) -> str:
    """The ``scope`` parameter or claim for these values. Source: RFC 6749 §3.3."""
    return " ".join(scopes)


def narrow(granted: Sequence[str], requested: Sequence[str]) -> tuple[str, ...]:
    """The requested scopes, if the grant holds them all; the whole grant if none was requested.

    Raises:
        InvalidScopeError: a scope that was not granted (row T10).

    Source: RFC 6749 §6.
    """
    if not requested:
        return tuple(granted)
    for scope in requested:
        if scope not in granted:
            raise InvalidScopeError(f"The scope {quotable(scope)} was not granted.")
    return tuple(scope for scope in granted if scope in requested)


class ScopeResolver:
    """Maps requested scopes and resources to granted ones and to one audience."""

    def __init__(self, *, resources: ResourceDirectory, issuer: str) -> None:
        self._resources = resources
        self._issuer = issuer
        self.version = resources.version
        """Gives another object after every change of the resource servers; a client is its own version."""
        self._targets: Remembered[TokenTarget] = Remembered(resources.version)
        self._choices: Remembered[bool] = Remembered(resources.version)

    def for_authorization(
        self, *, client: RegisteredClient, requested: Sequence[str], resources: Sequence[str]
    ) -> GrantedScopes:
        """What an authorization request of this client may get.

        Unknown scopes are ignored (RFC 6749 §3.3 allows it, OIDC Core §3.1.2.1 asks for it).
        With ``resource``, scopes of other resource servers are left out (RFC 8707 §2.2).
        ``offline_access`` is left out of clients that have no refresh tokens.

        The default audience is the one ``resource`` that was named; else the issuer if the
        person signs in (``openid``), so that ordinary clients reach userinfo; else the one
        resource server the scopes belong to.

        Raises:
            InvalidScopeError: a known scope the client is not registered for (row K4).
            InvalidTargetError: a resource that is not registered, or not meant for this client.
        """
        servers = tuple(self._server_for(client, named) for named in resources if named != self._issuer)
        known = tuple(scope for scope in requested if self._is_known(scope, client))
        self._assert_registered(known, client)
        scopes = tuple(scope for scope in known if not servers or self._means_something(scope, servers))
        if not client.may_refresh:
            scopes = tuple(scope for scope in scopes if scope != OFFLINE_ACCESS)
        owners = tuple(server.identifier for server in servers) or self._owners(scopes)
        granted = tuple(dict.fromkeys(owners))
        return GrantedScopes(
            scopes=scopes,
            resources=granted,
            default_audience=self._default_audience(scopes, resources, granted),
        )

    def for_user_token(
        self,
        *,
        granted: tuple[str, ...],
        granted_resources: tuple[str, ...],
        resource: str | None,
        requested: tuple[str, ...] = (),
    ) -> TokenTarget:
        """The target of an access token for a person, at code exchange and refresh.

        Args:
            granted: scopes of the grant (``AuthorizedGrant.scopes``).
            granted_resources: ``AuthorizedGrant.resources``.
            resource: the ``resource`` of the token request; the issuer picks userinfo. When
                absent, ``AuthorizedGrant.default_audience``.
            requested: narrower scopes asked for at refresh; empty for all.

        Raises:
            InvalidTargetError: not part of the grant, or several and none chosen.
            InvalidScopeError: a scope that was not granted.

        Source: RFC 8707 §2.2.
        """
        scopes = narrow(granted, requested)
        if resource is None:
            raise InvalidTargetError("The grant is for several resources: choose one with resource.")
        if resource == self._issuer:
            return self._issuer_target(scopes)
        if resource not in granted_resources:
            raise InvalidTargetError("The resource is not part of this grant.")
        server = self._server(resource)
        return self._server_target(server, scopes)

    def may_span_several(self, client: RegisteredClient) -> bool:
        """Whether a grant of the client may hold several resources, so that a token request must choose."""
        if client.scopes <= _OIDC_SCOPES:
            return False
        return self._choices.of(
            client,
            lambda: (
                len(
                    self.for_authorization(
                        client=client, requested=sorted(client.scopes), resources=()
                    ).resources
                )
                > 1
            ),
        )

    def for_client_token(
        self, *, client: RegisteredClient, requested: tuple[str, ...], resource: str | None
    ) -> TokenTarget:
        """The target of a client_credentials token.

        OpenID scopes are about a person and are never granted here. Without ``scope``: all
        registered ones that mean something to the target.

        Raises:
            InvalidScopeError: not registered for the client, or nothing left of what was asked.
            InvalidTargetError: unknown resource, or scopes of several resource servers and no
                ``resource`` that chooses.
        """
        return self._targets.of(
            (client, requested, resource), lambda: self._for_client_token(client, requested, resource)
        )

    def _for_client_token(
        self, client: RegisteredClient, requested: tuple[str, ...], resource: str | None
    ) -> TokenTarget:
        self._assert_registered(requested, client)
        wanted = tuple(scope for scope in requested or sorted(client.scopes) if scope not in OIDC_SCOPES)
        if requested and not wanted:
            raise InvalidScopeError("OpenID scopes need a person; a client of its own gets none of them.")
        if resource is None:
            owners = self._owners(wanted)
            if len(owners) > 1:
                raise InvalidTargetError(
                    "The scopes belong to several resource servers: choose one with resource."
                )
            resource = owners[0] if owners else self._issuer
        if resource == self._issuer:
            return self._issuer_target(wanted)
        return self._server_target(self._server_for(client, resource), wanted)

    def supported(self) -> tuple[str, ...]:
        """Every scope for ``scopes_supported`` of the metadata. Source: RFC 8414 §2."""
        registered = sorted({scope for server in self._resources.all() for scope in server.scopes})
        return (*OIDC_SCOPES, *(scope for scope in registered if scope not in OIDC_SCOPES))

    def _is_known(self, scope: str, client: RegisteredClient) -> bool:
        if scope in OIDC_SCOPES or scope in client.scopes:
            return True
        return any(scope in server.scopes for server in self._resources.all())

    def _owners(self, scopes: Sequence[str]) -> tuple[str, ...]:
        """Identifiers of the resource servers these scopes belong to, in order, without doubles."""
        owners = (self._resources.owner_of(scope) for scope in scopes if scope not in OIDC_SCOPES)
        return tuple(dict.fromkeys(owner.identifier for owner in owners if owner is not None))

    def _means_something(self, scope: str, servers: Sequence[ResourceServer]) -> bool:
        """Whether a scope is OpenID's, nobody's, or one of these resource servers'."""
        if scope in OIDC_SCOPES or any(scope in server.scopes for server in servers):
            return True
        return not any(scope in server.scopes for server in self._resources.all())

    def _server(self, identifier: str) -> ResourceServer:
        server = self._resources.find(identifier)
        if server is None:
            raise InvalidTargetError("The resource is not registered here.")
        return server

    def _server_for(self, client: RegisteredClient, identifier: str) -> ResourceServer:
        """A resource server this client may name: one of its scopes is registered for it (row K4)."""
        server = self._server(identifier)
        if server.scopes and client.scopes.isdisjoint(server.scopes):
            raise InvalidTargetError("The client is not registered for any scope of this resource.")
        return server

    def _default_audience(
        self, scopes: Sequence[str], named: Sequence[str], granted: Sequence[str]
    ) -> str | None:
        if len(named) == 1:
            return named[0]
        if OPENID in scopes or not granted:
            return self._issuer
        return granted[0] if len(granted) == 1 else None

    def _issuer_target(self, scopes: Sequence[str]) -> TokenTarget:
        kept = tuple(
            scope for scope in scopes if scope in OIDC_SCOPES or self._resources.owner_of(scope) is None
        )
        return TokenTarget(audience=self._issuer, scopes=kept, resource_server=None)

    def _server_target(self, server: ResourceServer, scopes: Sequence[str]) -> TokenTarget:
        kept = tuple(s for s in scopes if s not in OIDC_SCOPES and self._means_something(s, (server,)))
        return TokenTarget(audience=server.identifier, scopes=kept, resource_server=server)

    @staticmethod
    def _assert_registered(scopes: Sequence[str], client: RegisteredClient) -> None:
        for scope in scopes:
            if scope not in client.scopes:
                raise InvalidScopeError(f"The client is not registered for the scope {quotable(scope)}.")
