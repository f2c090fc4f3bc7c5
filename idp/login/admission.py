"""From an identity that has an account to a browser session, or to the step that is still missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.accounts import Accounts, assert_may_authenticate
from idp.audit import Actor, Audit, AuditEvent
from idp.authenticators import KnownDevices
from idp.federation import ExternalIdentity, Identities, Provider, UpstreamIdentity
from idp.login.assurance import Achieved
from idp.login.attempt import LoginAttempts
from idp.login.complete import Completion
from idp.login.enrolled import Enrolments
from idp.login.federated_policy import proof_of
from idp.login.goal import Goal, Visitor
from idp.login.newcomers import taken_over
from idp.login.pending import Unfinished
from idp.login.policy import Stage
from idp.login.session import SignedIn
from idp.login.upstreams import Upstreams
from idp.storage import GROUPS, GROUPS_ELSEWHERE, Repositories, with_groups_elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionServices:
    """What it stands on, put together once by the container."""

    repos: Repositories
    accounts: Accounts
    identities: Identities
    upstreams: Upstreams
    enrolments: Enrolments
    attempts: LoginAttempts
    devices: KnownDevices
    completion: Completion
    audit: Audit


class Admission:
    """Signs in whom another provider has sent. In the caller's transaction."""

    def __init__(self, services: AdmissionServices) -> None:
        self._services = services

    def admit(
        self,
        link: ExternalIdentity,
        provider: Provider,
        identity: UpstreamIdentity,
        *,
        goal: Goal,
        visitor: Visitor,
    ) -> SignedIn | Unfinished:
        """Take the provider's word for a proof, and sign the person in if nothing else is asked for.

        Args:
            link: whose identity it is here.
            provider: who says it.
            identity: what it says.
            goal: what the sign-in is for.
            visitor: the browser.

        Raises:
            Refused: the account may not be used (row T16).
            NotFound: the account was deleted a moment ago.
        """
        services, now, account_id = self._services, visitor.now, link.account_id
        assert_may_authenticate(services.accounts.get(account_id), now)
        if provider.profile_sync == "always":
            self._follow(link, identity, visitor)
        services.identities.used(link.id, identity, now)
        proof = proof_of(provider, identity, now)
        self._record(provider, identity, proof, account_id, visitor)
        device = services.devices.find(visitor.device_cookie, account_id, now)
        step = goal.next_step(
            enrolled=services.enrolments.of(account_id),
            achieved={proof.factor},
            trusted_device=device is not None and device.is_trusted,
            is_present=visitor.is_signed_in_as(account_id),
        )
        if step.stage is not Stage.DONE:
            # Security: a second step of the person's own is not skipped by coming from elsewhere (row M8).
            _, cookie = services.attempts.begin(
                account_id=account_id,
                achieved=(proof,),
                detail={**goal.detail, **services.upstreams.kept_by_attempt(identity)},
                now=now,
            )
            return Unfinished(step=step, attempt_cookie=cookie)
        return services.completion.complete(
            account_id=account_id,
            achieved=(proof,),
            attempt=None,
            present=visitor.present,
            park_present=goal.park_present,
            device_cookie=visitor.device_cookie,
            upstream=identity,
            source=visitor.source,
            now=now,
        )

    def _follow(self, link: ExternalIdentity, identity: UpstreamIdentity, visitor: Visitor) -> None:
        """Write the provider's claims over those that are here; what it does not say stays.

        Groups are the exception: those that came with this identity and are not said any more go.
        """
        services, account_id = self._services, link.account_id
        row = services.repos.accounts.lock(account_id)
        if row is None:
            return
        wanted = {**row.claims, **taken_over(identity.claims, services.accounts)}
        claims = with_groups_elsewhere(wanted, link.id, identity.groups)
        changed = _changed(row.claims, claims)
        if not changed:
            return
        services.repos.accounts.set_claims(account_id, claims, visitor.now)
        services.audit.record(
            AuditEvent.ACCOUNT_UPDATED,
            actor=Actor.account(account_id, visitor.source),
            account=account_id,
            detail={"fields": changed, "provider": identity.provider_id},
            now=visitor.now,
        )

    def _record(
        self,
        provider: Provider,
        identity: UpstreamIdentity,
        proof: Achieved,
        account_id: str,
        visitor: Visitor,
    ) -> None:
        self._services.audit.record(
            AuditEvent.FEDERATION_VERIFIED,
            actor=Actor.account(account_id, visitor.source),
            account=account_id,
            detail={
                "provider": provider.id,
                "name": provider.name,
                "purpose": visitor.purpose(account_id),
                "factor": proof.factor.value,
                "auth_time": identity.auth_time,
            },
            now=visitor.now,
        )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the claims that are others than before."""
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return sorted(GROUPS if name == GROUPS_ELSEWHERE else name for name in names)
