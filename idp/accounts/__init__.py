"""Accounts: who a person is to us, and the names they are found by.

Owns the record, the one canonical form of usernames, e-mail addresses and telephone numbers (one
name space for all), and which claims an account may carry, with their types.
Does not know passwords (authenticators/), sessions (sessions/) or what a client may see (oauth/).
Called by login, oauth, admin and the entrances.
Reading order: identifiers, claims, accounts, gate.
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

__all__ = [
    "STANDARD_CLAIMS",
    "Account",
    "Accounts",
    "assert_may_authenticate",
    "canonical_email",
    "canonical_identifier",
    "canonical_phone",
    "normalized_email",
    "normalized_username",
    "validate_claims",
]
