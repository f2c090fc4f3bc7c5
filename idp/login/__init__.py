"""Login: from what a person types to a browser session.

Owns the order of a sign-in: limits, counters, the proofs, what comes next, the session, the audit
record. Does not know why somebody signs in (oauth/authorization decides when a sign-in is needed and
sees that it happened) and shows no page (web/).
Called by web/pages.
Reading order: assurance, policy, attempt, enrolled, session, complete, added_proof, goal,
pending, password, passkey, standing, second_factor, sent_codes; registration,
signup; federated_policy, upstreams, trips, newcomers, admission, federated, joining, upstream_logout,
upstream_sign_out; ending, recovery_proof, recovery, securing.
"""

from idp.login.added_proof import AddedProof
from idp.login.admission import Admission, AdmissionServices
from idp.login.assurance import Achieved, Assurance, Factor, assurance_of, proofs_of
from idp.login.attempt import LoginAttempt, LoginAttempts
from idp.login.complete import Completion, CompletionServices
from idp.login.ending import Ended, EverythingOfAccount
from idp.login.enrolled import Enrolments
from idp.login.federated import (
    AddressTaken,
    AnotherPerson,
    FederatedFlow,
    FederatedServices,
    Leaving,
    NobodyHere,
)
from idp.login.federated_policy import First
from idp.login.goal import Goal, Visitor
from idp.login.joining import TYPED, JoiningFlow, JoiningServices, Question
from idp.login.newcomers import AccountMaker, Newcomer, Newcomers
from idp.login.passkey import PasskeyFlow, PasskeyServices
from idp.login.password import LoginFlow, LoginServices
from idp.login.pending import PendingServices, PendingSignIns, Unfinished
from idp.login.policy import Enrolled, NextStep, Required, Stage, next_step, reachable_level
from idp.login.recovery import Recovery, RecoveryFlow, RecoveryServices
from idp.login.recovery_proof import SecondProof, SecondProofs
from idp.login.registration import Registration, Registrations
from idp.login.second_factor import Finished, GeneratorSetup, SecondFactorFlow, SecondFactorServices
from idp.login.securing import FormerAddress, Objection, SecuringFlow, SecuringServices
from idp.login.sent_codes import SentCodes, SentCodeServices
from idp.login.session import SignedIn
from idp.login.signup import SignupFlow
from idp.login.signup_services import SignupServices, Wishes
from idp.login.standing import NoAttempt, Standing, Standings, StandingServices
from idp.login.switching import AccountSwitch, SwitchServices
from idp.login.trips import Errand, Purpose, StrayAnswer, Trip, Trips
from idp.login.upstream_logout import UpstreamLogoutFlow, UpstreamLogoutServices
from idp.login.upstream_sign_out import UpstreamSignOut
from idp.login.upstreams import Upstreams

__all__ = [
    "TYPED",
    "AccountMaker",
    "AccountSwitch",
    "Achieved",
    "AddedProof",
    "AddressTaken",
    "Admission",
    "AdmissionServices",
    "AnotherPerson",
    "Assurance",
    "Completion",
    "CompletionServices",
    "Ended",
    "Enrolled",
    "Enrolments",
    "Errand",
    "EverythingOfAccount",
    "Factor",
    "FederatedFlow",
    "FederatedServices",
    "Finished",
    "First",
    "FormerAddress",
    "GeneratorSetup",
    "Goal",
    "JoiningFlow",
    "JoiningServices",
    "Leaving",
    "LoginAttempt",
    "LoginAttempts",
    "LoginFlow",
    "LoginServices",
    "Newcomer",
    "Newcomers",
    "NextStep",
    "NoAttempt",
    "NobodyHere",
    "Objection",
    "PasskeyFlow",
    "PasskeyServices",
    "PendingServices",
    "PendingSignIns",
    "Purpose",
    "Question",
    "Recovery",
    "RecoveryFlow",
    "RecoveryServices",
    "Registration",
    "Registrations",
    "Required",
    "SecondFactorFlow",
    "SecondFactorServices",
    "SecondProof",
    "SecondProofs",
    "SecuringFlow",
    "SecuringServices",
    "SentCodeServices",
    "SentCodes",
    "SignedIn",
    "SignupFlow",
    "SignupServices",
    "Stage",
    "Standing",
    "StandingServices",
    "Standings",
    "StrayAnswer",
    "SwitchServices",
    "Trip",
    "Trips",
    "Unfinished",
    "UpstreamLogoutFlow",
    "UpstreamLogoutServices",
    "UpstreamSignOut",
    "Upstreams",
    "Visitor",
    "Wishes",
    "assurance_of",
    "next_step",
    "proofs_of",
    "reachable_level",
]
