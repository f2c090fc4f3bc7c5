"""Other providers that people sign in with, as operators add and switch them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from idp.admin.context import AdminContext, moment
from idp.audit import AuditEvent
from idp.federation import (
    FIELDS,
    KEY_METHODS,
    Checkup,
    Examination,
    Provider,
    Providers,
    preset,
    preset_options,
    preview,
)
from idp.storage import ClearedLinks

_BATCH: Final = 2000
"""Rows of one table removed in one transaction: a tenth of a second."""

_ADDRESSES: Final = frozenset(
    {"issuer", "discovery", "discovery_url", "authorization_endpoint", "token_endpoint", "jwks_uri"}
)
"""After a change of one of these it is asked again who it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationServices:
    """What only providers need."""

    providers: Providers
    checkup: Checkup
    issuer: str
    """Ours; redirect addresses begin with it."""


class ProviderAdmin:
    """Adds, changes, lists, shows, checks, disables, enables and deletes providers."""

    def __init__(self, context: AdminContext, services: FederationServices) -> None:
        self._context = context
        self._providers = services.providers
        self._checkup = services.checkup
        self._issuer = services.issuer.rstrip("/")

    def create(
        self,
        provider_id: str,
        members: Mapping[str, Any],
        *,
        preset_name: str,
        tenant: str | None = None,
        secret: str | None = None,
    ) -> dict[str, Any]:
        """Add a provider: what the preset knows, and what the operator says besides.

        The provider is asked first. What is wrong there is a warning in the result, not an error, so that a
        provider can be added before it runs.

        Args:
            provider_id: part of its redirect address.
            members: of its configuration; they win over the preset's.
            preset_name: which well-known provider it is, or ``oidc`` or ``oauth2``.
            tenant: whose people may come, for presets that ask for it.
            secret: client secret, or private key as PEM.

        Returns:
            the provider without its secret, with ``redirect_uri`` to enter there, and ``warnings``.

        Raises:
            Invalid: a part breaks a rule.
            Conflict: the id, or a home domain, is taken.
        """
        context = self._context
        configuration = _with_preset(preset_name, members, tenant)
        draft = self._providers.draft(provider_id, configuration, secret=secret, now=context.clock.now())
        found = self._checkup.examine(draft)
        configuration["authorization_origins"] = _origins(draft, found)
        with context.change("providers") as now:
            provider = self._providers.create(provider_id, configuration, secret=secret, now=now)
            detail = {
                "provider": provider.id,
                "name": provider.name,
                "preset": provider.preset,
                "issuer": provider.issuer,
            }
            context.record(AuditEvent.PROVIDER_CREATED, now, detail=detail)
            shown = self._shown(provider)
        return {**shown, "warnings": _warnings(found)}

    def update(
        self, provider_id: str, changes: Mapping[str, Any], *, secret: str | None = None
    ) -> dict[str, Any]:
        """Change members of a configuration; ``None`` gives one its default again.

        Returns:
            the provider, with ``changed``, the names of the members that did, and ``warnings``.

        Raises:
            NotFound: there is no such provider.
            Invalid: the result breaks a rule.
            Conflict: a home domain is taken, or people are linked already who would become others.
        """
        context = self._context
        with context.change("providers") as now:
            provider, changed = self._providers.update(provider_id, changes, secret=secret, now=now)
            if changed:
                detail = {"provider": provider_id, "fields": list(changed)}
                context.record(AuditEvent.PROVIDER_UPDATED, now, detail=detail)
        warnings = []
        if _ADDRESSES.intersection(changed):
            provider, found = self._learn(provider)
            warnings = _warnings(found)
        if "stores_tokens" in changed and not provider.stores_tokens:
            self._forget_tokens(provider_id)
        return {**self._shown(provider), "changed": list(changed), "warnings": warnings}

    def list_(self) -> list[dict[str, Any]]:
        """Every provider, by id, without secrets (row K12)."""
        with self._context.database.transaction(write=False):
            return [self._shown(provider) for provider in self._providers.list_()]

    def get(self, provider_id: str) -> dict[str, Any]:
        """One provider without its secret, and how many identities are linked.

        Raises:
            NotFound: there is none.
        """
        with self._context.database.transaction(write=False):
            provider = self._providers.get(provider_id)
            return {**self._shown(provider), "linked_identities": self._providers.linked(provider_id)}

    def check(self, provider_id: str) -> dict[str, Any]:
        """Ask the provider what it publishes, and say in words what does not fit; keeps where it leads.

        Returns:
            ``ok``, ``problems`` (sign-ins fail while they stand), ``remarks``, and what was found.

        Raises:
            NotFound: there is no such provider.
        """
        with self._context.database.transaction(write=False):
            provider = self._providers.get(provider_id)
        provider, found = self._learn(provider)
        endpoints = found.endpoints
        return {
            "id": provider.id,
            "ok": not found.problems,
            "problems": list(found.problems),
            "remarks": list(found.remarks),
            "redirect_uri": self._redirect_uri(provider),
            "endpoints": None
            if endpoints is None
            else {
                "authorization_endpoint": endpoints.authorization_endpoint,
                "token_endpoint": endpoints.token_endpoint,
                "userinfo_endpoint": endpoints.userinfo_endpoint,
                "jwks_uri": endpoints.jwks_uri,
                "end_session_endpoint": endpoints.end_session_endpoint,
                "par_endpoint": endpoints.par_endpoint,
            },
            "authorization_origins": list(provider.authorization_origins),
        }

    def preview(self, provider_id: str, claims: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider's mapping makes of these claims; nothing is kept.

        ``unknown_claims`` are mapped, but accounts here have none of their names (``claims.custom``).

        Raises:
            NotFound: there is no such provider.
        """
        with self._context.database.transaction(write=False):
            provider = self._providers.get(provider_id)
        found = preview(provider, claims)
        email, mapped = found["email"], found["claims"]
        trusted = isinstance(email, str) and provider.may_vouch_for(email)
        unknown = [name for name in mapped if not self._context.accounts.knows_claim(name)]
        return {**found, "email_domain_trusted": trusted, "unknown_claims": unknown}

    def disable(self, provider_id: str) -> dict[str, Any]:
        """Switch a provider off: nobody signs in with it; links and sessions stay.

        Raises:
            NotFound: there is no such provider.
        """
        return self._switch(provider_id, AuditEvent.PROVIDER_DISABLED, disabled=True)

    def enable(self, provider_id: str) -> dict[str, Any]:
        """Switch a disabled provider on again.

        Raises:
            NotFound: there is no such provider.
        """
        return self._switch(provider_id, AuditEvent.PROVIDER_ENABLED, disabled=False)

    def delete(self, provider_id: str, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
        """Remove a provider and the links to its identities; the accounts stay.

        First it is disabled, so that nobody links one more. Then the links go, however many, in small
        transactions; the provider goes last. If that is broken off, deleting it again goes on.

        Args:
            provider_id: which one.
            progress: told the number of links removed so far, after every batch but the last.

        Raises:
            NotFound: there is no such provider.
        """
        context = self._context
        with context.change("providers") as now:
            if self._providers.get(provider_id).enabled:
                self._providers.set_disabled(provider_id, disabled=True, now=now)
                context.record(AuditEvent.PROVIDER_DISABLED, now, detail={"provider": provider_id})
        self._forget_tokens(provider_id)
        identities, batch = 0, ClearedLinks(_BATCH, _BATCH)
        while max(batch) == _BATCH:
            with context.database.transaction():
                batch = self._providers.clear(provider_id, _BATCH, now)
            identities += batch.identities
            if progress is not None and max(batch) == _BATCH:
                progress(identities)
        with context.change("providers") as now:
            # Again, for what a worker wrote that had not heard of the first step.
            identities += self._providers.clear(provider_id, _BATCH, now).identities
            self._providers.delete(provider_id)
            detail = {"provider": provider_id, "identities": identities}
            context.record(AuditEvent.PROVIDER_DELETED, now, detail=detail)
        return {"id": provider_id, "deleted": True, "removed_identities": identities}

    def _switch(self, provider_id: str, event: AuditEvent, *, disabled: bool) -> dict[str, Any]:
        context = self._context
        with context.change("providers") as now:
            provider = self._providers.set_disabled(provider_id, disabled=disabled, now=now)
            context.record(event, now, detail={"provider": provider_id})
            return self._shown(provider)

    def _learn(self, provider: Provider) -> tuple[Provider, Examination]:
        """Ask it, and keep the origins it leads to if they are new."""
        context = self._context
        found = self._checkup.examine(provider)
        origins = _origins(provider, found)
        if origins != list(provider.authorization_origins):
            with context.change("providers") as now:
                changes = {"authorization_origins": origins}
                provider, changed = self._providers.update(provider.id, changes, now=now)
                detail = {"provider": provider.id, "fields": list(changed)}
                context.record(AuditEvent.PROVIDER_UPDATED, now, detail=detail)
        return provider, found

    def _forget_tokens(self, provider_id: str) -> None:
        count = _BATCH
        while count == _BATCH:
            with self._context.database.transaction():
                count = self._providers.forget_tokens(provider_id, _BATCH)

    def _redirect_uri(self, provider: Provider) -> str:
        return self._issuer + provider.callback_path

    def _shown(self, provider: Provider) -> dict[str, Any]:
        """The configuration under its names; no secret, and members without a value are left out."""
        return {
            "id": provider.id,
            "redirect_uri": self._redirect_uri(provider),
            "backchannel_logout_uri": f"{self._issuer}/federation/{provider.id}/backchannel-logout",
            **_configured(provider),
            "secret": _kind_of_secret(provider),
            "enabled": provider.enabled,
            "created_at": moment(provider.created_at),
            "updated_at": moment(provider.updated_at),
        }


def _with_preset(name: str, members: Mapping[str, Any], tenant: str | None) -> dict[str, Any]:
    """What a preset knows, and what the operator says besides."""
    said = dict(members)
    options = {} if tenant is None else {"tenant": tenant}
    if "issuer" in preset_options(name) and isinstance(said.get("issuer"), str):
        # The address of an installation, which the preset makes its issuer and endpoints of.
        options["issuer"] = said.pop("issuer")
    return {**preset(name, **options), **said, "preset": name}


def _configured(provider: Provider) -> dict[str, Any]:
    found = {name: getattr(provider, name) for name in FIELDS}
    return {name: _plain(value) for name, value in found.items() if value not in (None, (), {})}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _origins(provider: Provider, found: Examination) -> list[str]:
    """Those that were entered or learnt before stay: a provider may lead on to another one of its own."""
    return list(dict.fromkeys([*provider.authorization_origins, *found.authorization_origins]))


def _warnings(found: Examination) -> list[str]:
    return [*found.problems, *found.remarks]


def _kind_of_secret(provider: Provider) -> str | None:
    if provider.secret is None:
        return None
    return "private key" if provider.auth_method in KEY_METHODS else "client secret"
