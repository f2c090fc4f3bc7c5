"""Browser sessions: that somebody is signed in here, at this browser, since when and how.

Owns the record, its secret cookie value and its idle and absolute ends. Knows nothing of
cookies as such (web/), of what the session's clients hold (tokens/), or of passwords.
Called by login, oauth, selfservice, admin and the entrances.
"""

from idp.assurance import (
    ACR_PHISHING_RESISTANT,
    ACR_SINGLE_FACTOR,
    ACR_TWO_FACTORS,
    ACR_VALUES_SUPPORTED,
    level_of,
)
from idp.sessions.sessions import BrowserSession, Sessions

__all__ = [
    "ACR_PHISHING_RESISTANT",
    "ACR_SINGLE_FACTOR",
    "ACR_TWO_FACTORS",
    "ACR_VALUES_SUPPORTED",
    "BrowserSession",
    "Sessions",
    "level_of",
]
