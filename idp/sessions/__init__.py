"""Browser sessions: that somebody is signed in here, at this browser, since when and how.

Owns the record, its secret cookie value and its idle and absolute ends. Knows nothing of
cookies as such (web/), of what the session's clients hold (tokens/), or of passwords.
Called by login, oauth, admin and the entrances.
"""

from idp.sessions.assurance import ACR_SINGLE_FACTOR, ACR_VALUES_SUPPORTED
from idp.sessions.sessions import BrowserSession, Sessions

__all__ = ["ACR_SINGLE_FACTOR", "ACR_VALUES_SUPPORTED", "BrowserSession", "Sessions"]
