"""The authorization endpoint, and the address where a half-finished request goes on.

Source: RFC 6749 §3.1, OpenID Connect Core §3.1.2.1.
"""

from urllib.parse import quote, urlencode

from flask import Response, request, url_for
from werkzeug.exceptions import MethodNotAllowed, RequestURITooLarge

from idp.fibers import assert_may_block
from idp.ratelimit import Limit
from idp.web.body import Pairs, parse_pairs
from idp.web.context import container, now, source
from idp.web.edge import MAX_QUERY
from idp.web.pages.cookies import SESSION
from idp.web.pages.forms import form_pairs
from idp.web.pages.steps import follow
from idp.web.pages.visit import visit
from idp.web.responses import see_other
from idp.web.wire import Environ


def may_answer_at_once(environ: Environ, _body: bytes) -> bool:
    """Whether somebody may be signed in: then a request does little but wait for two statements."""
    return SESSION.base_name in environ.get("HTTP_COOKIE", "")


def authorize() -> Response:
    """Take an authorization request."""
    _refuse_head()
    here = visit()
    if here.session is None:
        assert_may_block()  # now: what follows stores the request, and is counted once
        # Anybody can send these, and each that needs a page is stored: not without end (row X3).
        container().ratelimiter.hit_here(Limit.REQUESTS_PER_SOURCE, source().address, now())
    step = container().authorization.begin(
        parse_pairs(request.query_string),
        session=here.session,
        browser=here.browser,
        source=source(),
        now=now(),
    )
    return follow(step)


def authorize_post() -> Response:
    """Turn a posted request into a GET with the same parameters.

    The form comes from the client's site, so ``SameSite=Lax`` cookies stay behind; the GET
    that follows brings them.
    """
    return as_get("pages.authorize")


def resume(uid: str) -> Response:
    """Go on with a stored request: the flow says what is missing."""
    _refuse_head()
    here = visit()
    step = container().authorization.resume(
        uid, session=here.session, browser=here.browser, source=source(), now=now()
    )
    return follow(step)


def _refuse_head() -> None:
    """A HEAD asks for headers alone; here they would cost a stored request or a code nobody reads."""
    if request.method == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET", "POST"])


def as_get(endpoint: str) -> Response:
    """303 to ``endpoint`` with the parameters of the current form and of its address."""
    pairs: Pairs = (*parse_pairs(request.query_string), *form_pairs())
    query = urlencode(pairs, quote_via=quote, safe="")
    if len(query) > MAX_QUERY:
        raise RequestURITooLarge("The request has too many or too long parameters.")
    return see_other(url_for(endpoint) + (f"?{query}" if query else ""))
