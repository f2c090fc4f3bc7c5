"""The way to a new password: ask for a link, open it, choose."""

from typing import Any, Final

from flask import Response, request

from idp.errors import Invalid, NotFound, Refused, Unavailable
from idp.login import Factor, Recovery, SecondProof
from idp.web.context import application, container, now, source
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, language
from idp.web.pages.new_password import new_password_trouble
from idp.web.pages.render import page
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import visit
from idp.web.responses import see_other

_METHOD: Final = "method"


def recover() -> Response:
    """Ask for the name of the account."""
    if not container().recovery.is_possible:
        return _page("recovery/impossible.html", trouble=Trouble(status=404, message=""))
    return _page("recovery/begin.html", identifier="")


def recover_post() -> Response:
    """Send a link, if anybody has this name; the answer is the same for all (row L6)."""
    identifier = form_value("username")
    try:
        container().recovery.request(identifier, locale=language(), source=source(), now=now())
    except NotFound:
        return _page("recovery/impossible.html", trouble=Trouble(status=404, message=""))
    except (Invalid, Refused, Unavailable) as error:
        return _page("recovery/begin.html", identifier=identifier, trouble=trouble_of(error))
    return see_other(f"{application().path_prefix}/recover/sent")


def recover_sent() -> Response:
    """Say what to look for, to everybody alike."""
    return _page("recovery/sent.html")


def recover_done() -> Response:
    """The password is new; sign in with it."""
    return _page("recovery/done.html")


def recover_link(token: str) -> Response:
    """Ask for the new password; the link is not used up by being opened (row S9)."""
    try:
        recovery = container().recovery.look(token, now())
    except NotFound as error:
        return _dead(error)
    return _choose(recovery)


def recover_link_post(token: str) -> Response:
    """Set the new password, or send the code of the second proof."""
    flow = container().recovery
    try:
        recovery = flow.look(token, now())
    except NotFound as error:
        return _dead(error)
    try:
        if form_value("action") == "send":
            return _send(token, recovery)
        flow.reset(
            token,
            password=form_value("password"),
            proof=_proof(recovery),
            device_cookie=visit().device,
            source=source(),
            now=now(),
        )
    except NotFound as error:
        return _dead(error)
    except (Invalid, Refused, Unavailable) as error:
        return _choose(recovery, trouble=new_password_trouble(error))
    return see_other(f"{application().path_prefix}/recover/done")


def _send(token: str, recovery: Recovery) -> Response:
    sent = container().recovery.send_code(token, locale=language(), source=source(), now=now())
    if sent:
        return _choose(recovery, was_sent=True)
    message = gettext("No code could be sent. Please use another way.")
    return _choose(recovery, trouble=Trouble(status=503, message=message))


def _proof(recovery: Recovery) -> SecondProof | None:
    method = _method(recovery)
    return None if method is None else SecondProof(method, form_value("code"))


def _method(recovery: Recovery) -> Factor | None:
    """The second proof that the person chose, else the first there is."""
    chosen = form_value(_METHOD) if request.method == "POST" else request.args.get(_METHOD, "")
    for method in recovery.methods:
        if method.value == chosen:
            return method
    return recovery.methods[0] if recovery.methods else None


def _choose(recovery: Recovery, *, trouble: Trouble | None = None, was_sent: bool = False) -> Response:
    method = _method(recovery)
    return _page(
        "recovery/choose.html",
        trouble=trouble,
        username=recovery.username,
        method=None if method is None else method.value,
        others=[other.value for other in recovery.methods if other is not method],
        was_sent=was_sent,
        least=container().new_passwords.least,
    )


def _dead(error: NotFound) -> Response:
    return _page(
        "recovery/dead.html",
        trouble=Trouble(status=404, message=gettext(error.description)),
        again="/recover",
    )


def _page(template: str, *, trouble: Trouble | None = None, **values: Any) -> Response:
    return page(
        template,
        status=200 if trouble is None else trouble.status,
        headers=[] if trouble is None else trouble.headers,
        trouble=trouble,
        **values,
    )


ROUTES = (
    ("/recover", "GET", recover),
    ("/recover", "POST", recover_post),
    ("/recover/sent", "GET", recover_sent),
    ("/recover/done", "GET", recover_done),
    ("/recover/<token>", "GET", recover_link),
    ("/recover/<token>", "POST", recover_link_post),
)
