"""The authorization endpoint: from a client's request to the code, with pages in between.

Owns the checks of a request, the reasons for pages, the stored interaction, the order of
steps, and every answer to the client. Knows no HTTP, no cookies and no templates (web/), and
does not sign anybody in (login/).
Called by web/pages.
Reading order: parameters, steps, request, rules, checks, interaction, demand, prompts, dispatch,
consent, response, services, presence, flow.
"""

from idp.oauth.authorization.flow import AuthorizationFlow
from idp.oauth.authorization.services import AuthorizationServices
from idp.oauth.authorization.steps import (
    AuthorizationResponse,
    Demand,
    InteractionView,
    Reason,
    Respond,
    ShowConsent,
    ShowLogin,
    ShowSelectAccount,
    ShowSignup,
    Step,
)
from idp.oauth.errors import ShownError

__all__ = [
    "AuthorizationFlow",
    "AuthorizationResponse",
    "AuthorizationServices",
    "Demand",
    "InteractionView",
    "Reason",
    "Respond",
    "ShowConsent",
    "ShowLogin",
    "ShowSelectAccount",
    "ShowSignup",
    "ShownError",
    "Step",
]
