"""Adding and changing providers. Callers hold the transaction, record audit and bump the feed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from idp.crypto import Unsealable
from idp.errors import Conflict, NotFound
from idp.federation.configuration import KEY_METHODS, validate_configuration, validate_provider_id
from idp.federation.provider import Provider
from idp.federation.provider_secrets import ProviderSecrets, accept_secret
from idp.federation.stored import stored_provider
from idp.storage import ClearedLinks, IdentityProviderRow, Repositories

_WHO_IS_WHO: Final = ("kind", "issuer", "claims.sub", "numeric_subject")
"""What the key of a linked identity stands on."""


class Providers:
    """Adds, changes and removes providers; seals their secrets.

    Args:
        repos: repositories on the caller's session.
        secrets: seals and opens secrets.
        plain_hosts: hosts that may be spoken to without TLS (``http.allowed_private_hosts``).
    """

    def __init__(
        self, repos: Repositories, secrets: ProviderSecrets, *, plain_hosts: Collection[str] = ()
    ) -> None:
        self._providers = repos.providers
        self._identities = repos.identities
        self._changes = repos.changes
        self._secrets = secrets
        self._plain_hosts = frozenset(plain_hosts)

    def draft(
        self, provider_id: str, configuration: Mapping[str, Any], *, secret: str | None, now: datetime
    ) -> Provider:
        """The provider as :meth:`create` would make it, kept nowhere; to ask it something first.

        Raises:
            Invalid: the id, the configuration or the secret breaks a rule.
        """
        return stored_provider(self._row(provider_id, configuration, secret, now), self._secrets)

    def create(
        self, provider_id: str, configuration: Mapping[str, Any], *, secret: str | None, now: datetime
    ) -> Provider:
        """Add a provider.

        Args:
            provider_id: part of its redirect address.
            configuration: see :func:`validate_configuration`.
            secret: client secret, or private key as PEM.
            now: aware UTC time.

        Raises:
            Invalid: the id, the configuration or the secret breaks a rule.
            Conflict: the id is taken, or one of the home domains belongs to another provider.
        """
        row = self._row(provider_id, configuration, secret, now)
        self._one_after_another(now)
        self._assert_homes_are_free(provider_id, row.config)
        self._providers.add(row)
        return stored_provider(row, self._secrets)

    def get(self, provider_id: str) -> Provider:
        """The provider with this id, with its secret.

        Raises:
            NotFound: there is none.
        """
        return stored_provider(self._get_row(provider_id), self._secrets)

    def configuration(self, provider_id: str) -> dict[str, Any]:
        """What it is configured with, without the secret.

        Raises:
            NotFound: there is no such provider.
        """
        return dict(self._get_row(provider_id).config)

    def list_(self) -> list[Provider]:
        """Every provider, by id."""
        return [stored_provider(row, self._secrets) for row in self._providers.load_all()]

    def update(
        self, provider_id: str, changes: Mapping[str, Any], *, secret: str | None = None, now: datetime
    ) -> tuple[Provider, tuple[str, ...]]:
        """Change members of a configuration; the provider, and the names of those that changed.

        Args:
            provider_id: whose.
            changes: the new values; ``None`` gives a member its default again. Other members stay.
            secret: a new secret, which appears among the names as ``secret``; ``None`` keeps the present one.
            now: aware UTC time.

        Raises:
            NotFound: there is no such provider.
            Invalid: the result breaks a rule.
            Conflict: a home domain belongs to another provider; or people are linked already, and who they
                are there would be told by something else.
        """
        self._one_after_another(now)
        row = self._get_row(provider_id)
        before = dict(row.config)
        after = validate_configuration({**before, **changes}, plain_hosts=self._plain_hosts)
        self._assert_homes_are_free(provider_id, after)
        self._assert_people_stay(provider_id, before, after)
        changed = tuple(name for name, value in after.items() if value != before.get(name))
        if secret is not None or "auth_method" in changed:
            kept = self._kept_secret(row, before, after) if secret is None else secret
            row.sealed_secret = self._secrets.seal(provider_id, accept_secret(kept, after))
            changed = (*changed, "secret") if secret is not None else changed
        if changed:
            row.config = after
            row.updated_at = now
            self._providers.update(row)
        return self.get(provider_id), changed

    def set_disabled(self, provider_id: str, *, disabled: bool, now: datetime) -> Provider:
        """Switch a provider off, or on again; links stay.

        Raises:
            NotFound: there is no such provider.
        """
        row = self._get_row(provider_id)
        row.disabled_at = now if disabled else None
        row.updated_at = now
        self._providers.update(row)
        return self.get(provider_id)

    def linked(self, provider_id: str) -> int:
        """How many identities of this provider are linked to accounts."""
        return self._providers.count_identities(provider_id)

    def clear(self, provider_id: str, limit: int, now: datetime) -> ClearedLinks:
        """Cut at most ``limit`` of its links; see ``ProviderRepository.clear``."""
        return self._providers.clear(provider_id, limit, now)

    def forget_tokens(self, provider_id: str, limit: int) -> int:
        """Forget at most ``limit`` of its tokens that are kept; how many."""
        return self._identities.drop_tokens_of(provider_id, limit)

    def delete(self, provider_id: str) -> None:
        """Remove a provider with its secret and what is left of its links.

        Raises:
            NotFound: there is no such provider.
        """
        if not self._providers.delete(provider_id):
            raise _unknown()

    def _row(
        self, provider_id: str, configuration: Mapping[str, Any], secret: str | None, now: datetime
    ) -> IdentityProviderRow:
        validate_provider_id(provider_id)
        checked = validate_configuration(configuration, plain_hosts=self._plain_hosts)
        sealed = self._secrets.seal(provider_id, accept_secret(secret, checked))
        return IdentityProviderRow(
            id=provider_id, config=checked, sealed_secret=sealed, created_at=now, updated_at=now
        )

    def _get_row(self, provider_id: str) -> IdentityProviderRow:
        row = self._providers.get(provider_id)
        if row is None:
            raise _unknown()
        return row

    def _one_after_another(self, now: datetime) -> None:
        # Two changes of one topic wait for each other, so none of them looks past the other's home domains.
        self._changes.bump("providers", now)

    def _assert_homes_are_free(self, provider_id: str, configuration: Mapping[str, Any]) -> None:
        wanted = set(configuration["home_domains"])
        for row in self._providers.load_all():
            taken = wanted.intersection(row.config.get("home_domains", ()))
            if taken and row.id != provider_id:
                raise Conflict(f"home_domains: {min(taken)} leads to the provider {row.id} already.")

    def _assert_people_stay(
        self, provider_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """Security: with another meaning of the subject, somebody else may come as who is linked (row V9)."""
        changed = [name for name in _WHO_IS_WHO if _at(before, name) != _at(after, name)]
        if changed and self._providers.count_identities(provider_id):
            raise Conflict(
                f"{changed[0]} says who people are, and some are linked already:"
                " add another provider instead."
            )

    def _kept_secret(
        self, row: IdentityProviderRow, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> str | None:
        """The present secret, which may be sent in another way; a key is no client secret."""
        methods = before["auth_method"], after["auth_method"]
        if "none" in methods or (methods[0] in KEY_METHODS) != (methods[1] in KEY_METHODS):
            return None
        try:
            secret = self._secrets.open(row.id, row.sealed_secret)
        except Unsealable:
            return None
        return None if secret is None else secret.reveal()


def _at(configuration: Mapping[str, Any], name: str) -> Any:
    member, _, inner = name.partition(".")
    value = configuration.get(member)
    return value.get(inner) if inner and value else value


def _unknown() -> NotFound:
    return NotFound("There is no such provider.")
