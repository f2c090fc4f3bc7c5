"""Self-service: what a signed-in person sees and changes of themself.

Owns the rules; shows no page (web/) and signs nobody in (login/).
Called by web/pages and jobs.
Reading order: freshness, services, profile, selfservice.
"""

from idp.selfservice.contact import Contact, ContactChanges
from idp.selfservice.freshness import NotFresh, assert_fresh
from idp.selfservice.happenings import TOLD, Words
from idp.selfservice.passkeys import OwnPasskeys, OwnPasskeyServices, PasskeySignals
from idp.selfservice.profile import ADDRESS, FIELDS, InvalidProfile
from idp.selfservice.selfservice import SelfService
from idp.selfservice.services import SelfServiceServices

__all__ = [
    "ADDRESS",
    "FIELDS",
    "TOLD",
    "Contact",
    "ContactChanges",
    "InvalidProfile",
    "NotFresh",
    "OwnPasskeyServices",
    "OwnPasskeys",
    "PasskeySignals",
    "SelfService",
    "SelfServiceServices",
    "Words",
    "assert_fresh",
]
