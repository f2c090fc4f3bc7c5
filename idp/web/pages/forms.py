"""What a person sent with a form: read once, in the hook that checks its token."""

from typing import Final, cast

from flask import g, request

from idp.errors import Invalid
from idp.selfservice import ADDRESS, FIELDS
from idp.web.body import Pairs, first, read_form
from idp.web.context import container
from idp.web.pages import csrf
from idp.web.pages.visit import visit

_PASSES_ON: Final = csrf.CROSS_SITE_BY_DESIGN | {"pages.logout_confirm"}
"""Endpoints whose form holds what a client sent, which may be anything."""

_NAMES: Final = frozenset(
    {csrf.FIELD, *FIELDS, *ADDRESS}
    | {"action", "choice", "decision", "interaction", "method", "return_to", "step", "with"}
    | {"again", "automatic", "beside", "can_passkey", "credential", "here", "passkey"}
    | {"accounts", "client_id", "end_others", "present", "session", "terms", "trust_device"}
    | {"identity", "provider"}
    | {"address", "code", "email", "name", "password", "phone", "username"}
)
"""The fields of all our forms together."""

_LONGEST_NAME: Final = 40


def begin_form() -> None:
    """Read and check the form of a POST; for the blueprint's hook.

    Raises:
        StaleForm: the form is not one of ours, or its token is out of date (row S8).
        Invalid: it has a field that none of ours has.
        HTTPException: the body is malformed; see :func:`idp.web.body.read_form`.
    """
    g.form = read_form(request.environ, limit=container().settings.server.max_body_bytes)
    if request.endpoint in csrf.CROSS_SITE_BY_DESIGN:
        return
    csrf.assert_same_origin(request, issuer_origin=issuer_origin())
    here = visit()
    # The credentials a person typed into a second tab must not be lost to the first one's sign-in.
    sessions = {here.session_cookie, None} if request.endpoint in csrf.SIGN_IN else {here.session_cookie}
    csrf.assert_token(first(g.form, csrf.FIELD), browser=here.browser, sessions=sessions)
    if request.endpoint not in _PASSES_ON:
        _assert_known(form_pairs())


def _assert_known(pairs: Pairs) -> None:
    """Security: what nobody reads today must not come to mean something unseen tomorrow (row X16)."""
    for name, _ in pairs:
        if name not in _NAMES:
            raise Invalid(f"This form has no field named {name[:_LONGEST_NAME]!a}.", field="form")


def form_pairs() -> Pairs:
    """All fields of the current form, in order."""
    return cast("Pairs", g.form)


def form_value(name: str) -> str:
    """One field of the current form, empty if it is missing.

    Raises:
        BadRequest: the field is there more than once.
    """
    return first(form_pairs(), name)


def issuer_origin() -> str:
    """Scheme and host of the issuer, as browsers write them in ``Origin``."""
    scheme, _, rest = container().settings.issuer.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
