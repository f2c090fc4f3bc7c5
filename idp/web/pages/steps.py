"""From the flow's next step to an answer: a redirect to a page of ours, or back to the client."""

from flask import Response

from idp.oauth import AuthorizationResponse, Reason, Respond, ShowConsent, ShowLogin, ShowSignup, Step
from idp.web.context import application
from idp.web.pages.beside import sessions_beside
from idp.web.pages.render import page
from idp.web.responses import see_other

_SOMEBODY_ELSE = frozenset({Reason.NO_SESSION, Reason.ID_TOKEN_HINT, Reason.CLAIMS_SUB})
"""Reasons for a sign-in that somebody may meet who is signed in beside the present person."""


def follow(step: Step) -> Response:
    """Send the browser where the flow wants it."""
    if isinstance(step, Respond):
        return deliver(step.response)
    if isinstance(step, ShowLogin):
        if step.reason in _SOMEBODY_ELSE and sessions_beside():
            return _to("select-account", step.uid)
        return _to("login", step.uid)
    if isinstance(step, ShowConsent):
        return _to("consent", step.uid)
    if isinstance(step, ShowSignup):
        return _to("signup", step.uid)
    return _to("select-account", step.uid)


def resume(uid: str) -> Response:
    """Send the browser to the address where the flow decides what is next."""
    return _to("authorize", uid)


def deliver(response: AuthorizationResponse) -> Response:
    """Send the client its answer: 303 (row R7), or a form that submits itself.

    Source: OAuth 2.0 Form Post Response Mode §2.
    """
    if response.mode == "form_post":
        return page(
            "authorize/form_post.html",
            form_targets=[response.redirect_uri],
            action=response.location(),
            params=response.params,
        )
    return see_other(response.location())


def _to(name: str, uid: str) -> Response:
    """A redirect to a page of this interaction. Not by url_for, which takes longer than the step itself."""
    return see_other(f"{application().path_prefix}/{name}/{uid}")
