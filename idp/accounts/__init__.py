"""Accounts: who a person is to us, and the names they are found by.

Owns the record, the one canonical form of usernames, e-mail addresses and telephone numbers (one
name space for all), and which claims an account may carry, with their types.
Makes the links that lead into accounts; tells people what was done to theirs, and offers to object.
Does not know passwords (authenticators/), sessions (sessions/) or what a client may see (oauth/).
Called by login, oauth, admin and the entrances.
Reading order: identifiers, claims, accounts, gate, links, notices.
"""

from idp.accounts.accounts import Account, Accounts
from idp.accounts.claims import STANDARD_CLAIMS, validate_claims
from idp.accounts.gate import assert_may_authenticate
from idp.accounts.identifiers import (
    canonical_email,
    canonical_identifier,
    canonical_phone,
    normalized_email,
    normalized_username,
)
from idp.accounts.links import AccountLinks, LinkKind, is_still_good
from idp.accounts.notices import NOT_ME, Notice, Notices

__all__ = [
    "NOT_ME",
    "STANDARD_CLAIMS",
    "Account",
    "AccountLinks",
    "Accounts",
    "LinkKind",
    "Notice",
    "Notices",
    "assert_may_authenticate",
    "canonical_email",
    "canonical_identifier",
    "canonical_phone",
    "is_still_good",
    "normalized_email",
    "normalized_username",
    "validate_claims",
]
