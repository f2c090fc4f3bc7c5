"""A template and its values become an answer with the page's security policy."""

from collections.abc import Iterable
from typing import Any

from flask import Response, g, render_template

from idp.crypto import random_token
from idp.web.context import container
from idp.web.pages import csrf
from idp.web.pages.headers import add_page_headers, content_security_policy
from idp.web.pages.locale import html_language
from idp.web.pages.visit import Visit, is_secure

_NONCE_SIZE = 16


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
    html = render_template(
        template,
        brand_name=container().settings.pages.brand_name,
        language=language,
        direction=direction,
        nonce=nonce,
        form_token=_form_token,
        **values,
    )
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = content_security_policy(
        nonce=nonce, form_targets=form_targets
    )
    for name, value in headers:
        response.headers[name] = value
    return add_page_headers(response, https=is_secure())


def _form_token() -> str:
    """A token for one form; empty on error pages, which have no forms."""
    here: Visit | None = g.get("visit")
    return "" if here is None else csrf.new_token(browser=here.browser, session=here.session_cookie)
