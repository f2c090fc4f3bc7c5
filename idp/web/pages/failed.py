"""Why a way to another provider led to no sign-in, in words, and what to do now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import Response

from idp.errors import Conflict, IdpError, NotFound, Refused, Unavailable
from idp.federation import UpstreamDenied, UpstreamRefused, UpstreamUnavailable
from idp.languages import marked
from idp.login import AddressTaken, AnotherPerson, Errand, NobodyHere, Purpose, StrayAnswer
from idp.oauth import InteractionView
from idp.web.context import application, container, current_request_id
from idp.web.pages import client_view, providers
from idp.web.pages.locale import gettext
from idp.web.pages.render import page
from idp.web.pages.trouble import trouble_of, wait_in_words


@dataclass(frozen=True, slots=True)
class _Words:
    """A kind of failure, as people read of it; ``%(name)s`` is the provider."""

    status: int
    title: str
    text: str
    may_repeat: bool = True
    """Whether going there once more can help."""


_KINDS: Final[tuple[tuple[type[IdpError], _Words], ...]] = (  # the first that fits
    (
        UpstreamDenied,
        _Words(
            403,
            marked("You did not sign in at %(name)s"),
            marked("Nothing has changed. Try again, or choose another way."),
        ),
    ),
    (
        UpstreamUnavailable,
        _Words(
            503,
            marked("%(name)s does not answer"),
            marked("Nothing has changed. Try again in a moment, or choose another way."),
        ),
    ),
    (
        NobodyHere,
        _Words(
            403,
            marked("Your account at %(name)s is not known here"),
            marked(
                "Sign in another way and link it on the page about security, or ask whoever runs this "
                "service for an account."
            ),
            may_repeat=False,
        ),
    ),
    (
        AddressTaken,
        _Words(
            409,
            marked("There is an account with this address already"),
            marked(
                "Sign in to it as you always do, confirm its address, and link %(name)s on its page "
                "about security."
            ),
            may_repeat=False,
        ),
    ),
    (
        AnotherPerson,
        _Words(
            403,
            marked("That is another account"),
            marked(
                "The account that you chose at %(name)s does not belong to the one you are signed in to "
                "here. Choose another one there."
            ),
        ),
    ),
    (
        StrayAnswer,
        _Words(
            400,
            marked("This sign-in is over"),
            marked(
                "The answer of %(name)s was used already, came too late, or belongs to another browser. "
                "Nothing has changed."
            ),
        ),
    ),
    (
        UpstreamRefused,
        _Words(
            422,
            marked("%(name)s could not confirm who you are"),
            marked(
                "Its answer did not hold. Nothing has changed. Try again or choose another way; if it "
                "happens again, tell whoever runs this service."
            ),
        ),
    ),
    (
        Conflict,
        _Words(
            409,
            marked("This account is linked already"),
            marked(
                "Your account at %(name)s is linked to another account here. Sign in to that one to "
                "remove the link."
            ),
            may_repeat=False,
        ),
    ),
    (
        NotFound,
        _Words(
            404,
            marked("There is no such way to sign in here"),
            marked("It was switched off, or never was. Choose another way."),
            may_repeat=False,
        ),
    ),
)

_NOT_ANEW: Final = _Words(
    422,
    marked("%(name)s did not say that you signed in anew"),
    marked("This is asked for here, and %(name)s cannot do it or did not. Choose another way."),
)
_OTHERWISE: Final = _Words(
    403, marked("This was refused"), marked("This account cannot be used."), may_repeat=False
)
_NEW_SIGN_IN: Final = frozenset({"auth_time_missing", "sign_in_too_old"})
"""Reasons for which the provider's answer is right and its sign-in too old."""


def failed_page(
    error: IdpError, *, provider_id: str, errand: Errand | None, view: InteractionView | None
) -> Response:
    """The page that says it, with the way back to where the person chose.

    Args:
        error: what has happened.
        provider_id: as in the address; may name nobody.
        errand: what the person went there for; ``None`` if nobody knows.
        view: the interaction, if there is one.

    Raises:
        Unavailable: the error itself, where it is ours and not the other provider's: it has its own page.
    """
    if isinstance(error, Unavailable) and not isinstance(error, UpstreamUnavailable):
        raise error
    words = _words(error)
    found = container().providers.find(provider_id)
    name = gettext(marked("the other provider")) if found is None else found.name
    text = gettext(words.text) % {"name": name}
    headers: list[tuple[str, str]] = []
    status = words.status
    if isinstance(error, Refused) and error.retry_after is not None:
        text, headers, status = (
            f"{gettext(error.description)} {wait_in_words(error.retry_after)}",
            trouble_of(error).headers,
            429,
        )
    known = errand or Errand()
    again = found if found is not None and found.enabled and words.may_repeat and _repeats(known) else None
    targets = () if again is None else again.authorization_origins
    return page(
        "federation/failed.html",
        status=status,
        headers=headers,
        form_targets=(
            *targets,
            *(
                ()
                if view is None
                else client_view.form_targets(view.client, redirect_origin=view.redirect_origin)
            ),
        ),
        client=None if view is None else client_view.of(view.client, redirect_origin=view.redirect_origin),
        title=gettext(words.title) % {"name": name},
        text=text,
        again=None if again is None else providers.view_of(again),
        fields=_fields(known),
        back=beginning(known, chosen=True),
        is_account_page=known.purpose is not Purpose.SIGN_IN,
        cancel=None if view is None else f"{application().path_prefix}/login/{view.uid}",
        request_id=current_request_id(),
    )


def _words(error: IdpError) -> _Words:
    if isinstance(error, UpstreamRefused) and error.detail in _NEW_SIGN_IN:
        return _NOT_ANEW
    return next((words for kind, words in _KINDS if isinstance(error, kind)), _OTHERWISE)


def _repeats(errand: Errand) -> bool:
    """Whether a button on this page can begin once more; a link is begun on the page about security."""
    return errand.purpose is not Purpose.LINK


def _fields(errand: Errand) -> Mapping[str, str]:
    """Hidden fields of the form that begins once more."""
    if errand.place:
        return {"interaction": errand.place}
    fields = {"return_to": errand.return_to or ""}
    if errand.purpose is Purpose.AGAIN:
        fields["again"] = "yes"
    if errand.park_present:
        fields["beside"] = "yes"
    return fields


def beginning(errand: Errand, *, chosen: bool = False) -> str:
    """The address of the page where somebody chose to go to another provider.

    Args:
        errand: what they went there for.
        chosen: whether the page is to ask even where it would lead straight to a provider.
    """
    prefix = application().path_prefix
    match errand.purpose:
        case Purpose.LINK:
            return f"{prefix}/account/security"
        case Purpose.AGAIN:
            query = urlencode({"return_to": errand.return_to or f"{prefix}/account"})
            return f"{prefix}/reauthenticate?{query}"
        case Purpose.SIGN_IN:
            if errand.place:
                return f"{prefix}/login/{errand.place}" + ("?choose=1" if chosen else "")
            fields = {"return_to": errand.return_to} if errand.return_to else {}
            if errand.park_present:
                fields["another"] = "1"
            return f"{prefix}/login" + (f"?{urlencode(fields)}" if fields else "")
