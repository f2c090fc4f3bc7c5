"""The way out to another provider."""

from urllib.parse import urlsplit

from flask import Response

from idp.errors import NotFound, Refused, Unavailable
from idp.federation import Provider, UpstreamWish
from idp.login import Errand, Goal, Purpose
from idp.oauth import InteractionView
from idp.web.context import container, now, source
from idp.web.pages.failed import failed_page
from idp.web.pages.locale import language
from idp.web.pages.providers import view_of
from idp.web.pages.render import page
from idp.web.pages.visit import visit
from idp.web.responses import see_other


def errand_of(goal: Goal) -> Errand:
    """What somebody goes to another provider for, who is about to sign in here."""
    return Errand(
        purpose=Purpose.AGAIN if goal.again else Purpose.SIGN_IN,
        place=goal.place,
        return_to=goal.return_to,
        park_present=goal.park_present,
    )


def wish_of(view: InteractionView | None, goal: Goal, *, login_hint: str | None = None) -> UpstreamWish:
    """What to ask of the sign-in there, so that it is what the client, or we, ask of one here."""
    prompt = None
    if goal.again or (view is not None and view.asks_again):
        prompt = "login"
    elif goal.park_present:
        prompt = "select_account"
    return UpstreamWish(
        prompt=prompt,
        max_age=None if view is None else view.max_age,
        login_hint=login_hint,
        ui_locales=(language(),),
    )


def leave(
    provider_id: str,
    errand: Errand,
    wish: UpstreamWish,
    *,
    level: int = 1,
    view: InteractionView | None = None,
    after_form: bool = True,
) -> Response:
    """Send the browser to a provider; a page with a way back if that cannot be.

    Args:
        provider_id: which one.
        errand: what for.
        wish: what to ask of the sign-in there.
        level: place in the ladder of ``acr`` that the sign-in has to come to.
        view: the interaction, if there is one.
        after_form: whether a form of ours has led here, whose page named the provider's origins.
    """
    try:
        provider, url = container().federated.begin(
            provider_id, errand, wish, level=level, browser=visit().browser, source=source(), now=now()
        )
    except (NotFound, Refused, Unavailable) as error:
        return failed_page(error, provider_id=provider_id, errand=errand, view=view)
    return _redirect(provider, url, after_form=after_form)


def _redirect(provider: Provider, url: str, *, after_form: bool) -> Response:
    """By 303 where the browser lets a form lead there; else by a page that goes on by itself.

    Browsers apply ``form-action`` to the redirects after a form, and the page that held it may have known
    nothing of this provider.
    """
    parts = urlsplit(url)
    listed = f"{parts.scheme}://{parts.netloc}" in provider.authorization_origins
    if after_form and listed and not provider.hidden:
        return see_other(url)
    return page("federation/leave.html", provider=view_of(provider), url=url)
