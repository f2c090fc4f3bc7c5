"""Repositories: the statements about each noun, one file per noun.

They work in the transaction of the current session (`Database.transaction`) and never commit.
What must happen at most once is one conditional statement that says whether it happened.
``find_`` and ``get`` return rows or None; the rooms above turn rows into frozen values and
decide what they mean.
"""

from idp.storage.repositories.accounts import AccountRepository
from idp.storage.repositories.audit import AuditRepository, IssueCountRepository
from idp.storage.repositories.clients import ClientRepository, LogoRepository, ResourceRepository
from idp.storage.repositories.collection import Repositories, repositories
from idp.storage.repositories.consents import ConsentRepository
from idp.storage.repositories.families import FamilyRepository
from idp.storage.repositories.keys import KeyRepository
from idp.storage.repositories.one_time import OneTimeRepository
from idp.storage.repositories.purge import PurgeRepository
from idp.storage.repositories.sessions import InteractionRepository, SessionRepository
from idp.storage.repositories.system import ChangeRepository, DeploymentRepository
from idp.storage.repositories.throttles import DeviceRepository, ThrottleRepository

__all__ = [
    "AccountRepository",
    "AuditRepository",
    "ChangeRepository",
    "ClientRepository",
    "ConsentRepository",
    "DeploymentRepository",
    "DeviceRepository",
    "FamilyRepository",
    "InteractionRepository",
    "IssueCountRepository",
    "KeyRepository",
    "LogoRepository",
    "OneTimeRepository",
    "PurgeRepository",
    "Repositories",
    "ResourceRepository",
    "SessionRepository",
    "ThrottleRepository",
    "repositories",
]
