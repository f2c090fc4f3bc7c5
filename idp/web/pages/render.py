"""A template and its values become an answer with the page's security policy."""

from collections.abc import Iterable
from typing import Any

from flask import Response, current_app, g

from idp.crypto import random_token
from idp.web.context import application, container
from idp.web.pages import csrf
from idp.web.pages.headers import content_security_policy, page_headers
from idp.web.pages.locale import html_language
from idp.web.pages.visit import Visit, is_secure

_NONCE_SIZE = 16


class PageResponse(Response):
    """A page: it has its security headers from the start, and no hook has to look for them."""


def page(
    template: str,
    *,
    status: int = 200,
    form_targets: Iterable[str] = (),
    headers: Iterable[tuple[str, str]] = (),
    **values: Any,
) -> Response:
    """Render a page.

    Args:
        template: its name below ``templates/``.
        status: the HTTP status.
        form_targets: redirect URIs that a form of this page may end at, for the policy.
        headers: further headers, for example ``Retry-After``.
        values: what the template shows.
    """
    nonce = random_token(_NONCE_SIZE)
    language, direction = html_language()
    # Not flask.render_template: it asks for Flask's request, session and g, which no template of ours
    # uses, and tells two signals, which nobody follows.
    html = current_app.jinja_env.get_template(template).render(
        brand_name=container().settings.pages.brand_name,
        language=language,
        direction=direction,
        nonce=nonce,
        prefix=application().path_prefix,
        form_token=_form_token,
        **values,
    )
    policy = content_security_policy(nonce=nonce, form_targets=form_targets)
    return PageResponse(
        html,
        status=status,
        headers=[*page_headers(policy, https=is_secure()), *headers],
        content_type="text/html; charset=utf-8",
    )


def _form_token() -> str:
    """A token for one form; empty on error pages, which have no forms."""
    here: Visit | None = g.get("visit")
    return "" if here is None else csrf.new_token(browser=here.browser, session=here.session_cookie)
