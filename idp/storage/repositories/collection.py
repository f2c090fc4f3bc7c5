"""All repositories over one session source."""

from dataclasses import dataclass

from idp.storage.database import SessionSource
from idp.storage.repositories.accounts import AccountRepository
from idp.storage.repositories.audit import AuditRepository, IssueCountRepository
from idp.storage.repositories.authenticators import (
    CodeFactorRepository,
    RecoveryCodeRepository,
    TotpRepository,
)
from idp.storage.repositories.clients import ClientRepository, LogoRepository, ResourceRepository
from idp.storage.repositories.consents import ConsentRepository
from idp.storage.repositories.deletions import DeletionRepository
from idp.storage.repositories.enrolments import EnrolmentRepository
from idp.storage.repositories.exports import ExportRepository
from idp.storage.repositories.families import FamilyRepository
from idp.storage.repositories.federation import (
    ExternalIdentityRepository,
    FederatedSessionRepository,
    ProviderRepository,
)
from idp.storage.repositories.keys import KeyRepository
from idp.storage.repositories.login_attempts import LoginAttemptRepository
from idp.storage.repositories.one_time import OneTimeRepository
from idp.storage.repositories.outbox import OutboxRepository
from idp.storage.repositories.overviews import OverviewRepository
from idp.storage.repositories.passkeys import PasskeyRepository
from idp.storage.repositories.purge import PurgeRepository
from idp.storage.repositories.sessions import InteractionRepository, SessionRepository
from idp.storage.repositories.system import ChangeRepository, DeploymentRepository
from idp.storage.repositories.throttles import DeviceRepository, ThrottleRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """One repository per noun, all in the current session's transaction."""

    accounts: AccountRepository
    clients: ClientRepository
    logos: LogoRepository
    resources: ResourceRepository
    consents: ConsentRepository
    one_time: OneTimeRepository
    families: FamilyRepository
    sessions: SessionRepository
    interactions: InteractionRepository
    keys: KeyRepository
    audit: AuditRepository
    issue_counts: IssueCountRepository
    throttles: ThrottleRepository
    devices: DeviceRepository
    changes: ChangeRepository
    deployment: DeploymentRepository
    expired: PurgeRepository
    passkeys: PasskeyRepository
    totp: TotpRepository
    recovery_codes: RecoveryCodeRepository
    code_factors: CodeFactorRepository
    login_attempts: LoginAttemptRepository
    enrolments: EnrolmentRepository
    outbox: OutboxRepository
    deletions: DeletionRepository
    overviews: OverviewRepository
    exports: ExportRepository
    providers: ProviderRepository
    identities: ExternalIdentityRepository
    federated_sessions: FederatedSessionRepository


def repositories(session: SessionSource) -> Repositories:
    """All repositories over one session source, made once per process."""
    return Repositories(
        accounts=AccountRepository(session),
        clients=ClientRepository(session),
        logos=LogoRepository(session),
        resources=ResourceRepository(session),
        consents=ConsentRepository(session),
        one_time=OneTimeRepository(session),
        families=FamilyRepository(session),
        sessions=SessionRepository(session),
        interactions=InteractionRepository(session),
        keys=KeyRepository(session),
        audit=AuditRepository(session),
        issue_counts=IssueCountRepository(session),
        throttles=ThrottleRepository(session),
        devices=DeviceRepository(session),
        changes=ChangeRepository(session),
        deployment=DeploymentRepository(session),
        expired=PurgeRepository(session),
        passkeys=PasskeyRepository(session),
        totp=TotpRepository(session),
        recovery_codes=RecoveryCodeRepository(session),
        code_factors=CodeFactorRepository(session),
        login_attempts=LoginAttemptRepository(session),
        enrolments=EnrolmentRepository(session),
        outbox=OutboxRepository(session),
        deletions=DeletionRepository(session),
        overviews=OverviewRepository(session),
        exports=ExportRepository(session),
        providers=ProviderRepository(session),
        identities=ExternalIdentityRepository(session),
        federated_sessions=FederatedSessionRepository(session),
    )
