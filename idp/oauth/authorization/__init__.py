"""The authorization endpoint: from a client's request to the code, with pages in between.

Owns the checks of a request, the reasons for pages, the stored interaction, the order of
steps, and every answer to the client. Knows no HTTP, no cookies and no templates (web/), and
does not sign anybody in (login/).
Called by web/pages.
Reading order: parameters, steps, request, rules, checks, interaction, prompts, dispatch,
consent, response, services, flow.
"""

from idp.oauth.authorization.flow import AuthorizationFlow
from idp.oauth.authorization.services import AuthorizationServices
from idp.oauth.authorization.steps import (
    AuthorizationResponse,
    InteractionView,
    Reason,
    Respond,
    ShowConsent,
    ShowLogin,
    ShowSelectAccount,
    Step,
)
from idp.oauth.errors import ShownError

__all__ = [
    "AuthorizationFlow",
    "AuthorizationResponse",
    "AuthorizationServices",
    "InteractionView",
    "Reason",
    "Respond",
    "ShowConsent",
    "ShowLogin",
    "ShowSelectAccount",
    "ShownError",
    "Step",
]
