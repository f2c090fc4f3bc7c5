"""Pages that change what protects an account: who asks for the change must have proved themself lately."""

from urllib.parse import urlencode

from flask import Response, request

from idp.selfservice import NotFresh
from idp.sessions import BrowserSession
from idp.web.context import application, container, now
from idp.web.pages.account_guard import signed_in
from idp.web.responses import see_other


def fresh_person(*, return_to: str | None = None) -> BrowserSession:
    """The session of a person who may change authenticators and addresses (rows M7, M8).

    Ask on the page with the form already, so that nothing is typed in vain.

    Args:
        return_to: path below the issuer to come back to after the proof; by default this page, or
            after a POST its address.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFresh: they have to prove themself first.
    """
    session, here = signed_in(), container()
    here.selfservice.authenticators.assert_may_change(
        session,
        now(),
        return_to=None if return_to is None else f"{application().path_prefix}{return_to}",
    )
    return session


def to_proof(error: NotFresh) -> Response:
    """Send the browser to prove itself, and back."""
    query = urlencode({"return_to": error.return_to or request.path})
    return see_other(f"{application().path_prefix}/reauthenticate?{query}")
