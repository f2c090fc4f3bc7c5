"""Login: from what a person types to a browser session.

Owns the order of a sign-in: limits, counters, the proof, the session, the audit record. Does
not know why somebody signs in (oauth/authorization decides when a sign-in is needed and
sees that it happened) and shows no page (web/).
Called by web/pages.
Reading order: assurance, session, password.
"""

from idp.login.password import LoginFlow, LoginServices, SignedIn

__all__ = ["LoginFlow", "LoginServices", "SignedIn"]
