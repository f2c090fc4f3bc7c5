"""All of self-service under one name."""

from dataclasses import dataclass
from typing import Self

from idp.selfservice.apps import ConnectedApps
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.code_factor_setup import CodeFactorSetup
from idp.selfservice.contact import ContactChanges
from idp.selfservice.deletion import OwnDeletion
from idp.selfservice.export import Export
from idp.selfservice.history import History
from idp.selfservice.identities import OwnIdentities
from idp.selfservice.password import OwnPassword
from idp.selfservice.places import Places
from idp.selfservice.profile import Profile
from idp.selfservice.services import SelfServiceServices
from idp.selfservice.sessions import OwnSessions
from idp.selfservice.username import OwnUsername


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfService:
    """What the account pages offer, by noun."""

    profile: Profile
    username: OwnUsername
    authenticators: Authenticators
    code_factors: CodeFactorSetup
    identities: OwnIdentities
    contact: ContactChanges
    sessions: OwnSessions
    apps: ConnectedApps
    history: History
    password: OwnPassword
    export: Export
    deletion: OwnDeletion

    @classmethod
    def build(cls, services: SelfServiceServices) -> Self:
        """All of it over the same collaborators."""
        authenticators = Authenticators(services)
        places = Places(services.settings.sessions.geoip_file)
        return cls(
            profile=Profile(services),
            username=OwnUsername(services, authenticators),
            sessions=OwnSessions(services, places),
            apps=ConnectedApps(services),
            history=History(services, places),
            password=OwnPassword(services),
            export=Export(services, authenticators),
            deletion=OwnDeletion(services, authenticators),
            authenticators=authenticators,
            code_factors=CodeFactorSetup(services, authenticators),
            identities=OwnIdentities(services, authenticators),
            contact=ContactChanges(services, authenticators),
        )
