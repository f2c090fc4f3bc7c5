"""Login: from what a person types to a browser session.

Owns the order of a sign-in: limits, counters, the proofs, what comes next, the session, the audit
record. Does not know why somebody signs in (oauth/authorization decides when a sign-in is needed and
sees that it happened) and shows no page (web/).
Called by web/pages.
Reading order: assurance, policy, attempt, enrolled, session, complete, password, passkey.
"""

from idp.login.assurance import Achieved, Assurance, Factor, assurance_of
from idp.login.attempt import LoginAttempt, LoginAttempts
from idp.login.complete import Completion, CompletionServices
from idp.login.enrolled import Enrolments
from idp.login.passkey import PasskeyFlow, PasskeyServices
from idp.login.password import LoginFlow, LoginServices
from idp.login.policy import Enrolled, NextStep, Required, Stage, next_step, reachable_level
from idp.login.session import SignedIn
from idp.login.switching import AccountSwitch, SwitchServices

__all__ = [
    "AccountSwitch",
    "Achieved",
    "Assurance",
    "Completion",
    "CompletionServices",
    "Enrolled",
    "Enrolments",
    "Factor",
    "LoginAttempt",
    "LoginAttempts",
    "LoginFlow",
    "LoginServices",
    "NextStep",
    "PasskeyFlow",
    "PasskeyServices",
    "Required",
    "SignedIn",
    "Stage",
    "SwitchServices",
    "assurance_of",
    "next_step",
    "reachable_level",
]
