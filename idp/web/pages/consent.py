"""May this application do that? Asked in plain words, answered by one of two buttons."""

from flask import Response

from idp.errors import Invalid
from idp.web.context import container, now, source
from idp.web.pages import client_view
from idp.web.pages.forms import form_value
from idp.web.pages.locale import choose_language
from idp.web.pages.render import page
from idp.web.pages.steps import follow
from idp.web.pages.steps import resume as resume_interaction
from idp.web.pages.visit import visit

_ANSWERS = {"allow": True, "deny": False}


def consent(uid: str) -> Response:
    """Show the question, if the flow still wants it answered."""
    here, moment = visit(), now()
    if here.session is None:
        return resume_interaction(uid)
    question = container().authorization.consent_question(
        uid, session=here.session, browser=here.browser, now=moment
    )
    view = question.view
    choose_language(view.ui_locales)
    return page(
        "consent/consent.html",
        form_targets=client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        client=client_view.of(question.client, redirect_origin=view.redirect_origin),
        question=question,
        uid=uid,
    )


def consent_post(uid: str) -> Response:
    """Take the answer."""
    allow = _ANSWERS.get(form_value("decision"))
    if allow is None:
        raise Invalid("Choose one of the two buttons.", field="decision")
    here = visit()
    if here.session is None:
        return resume_interaction(uid)
    step = container().authorization.decide_consent(
        uid, allow=allow, session=here.session, browser=here.browser, source=source(), now=now()
    )
    return follow(step)
