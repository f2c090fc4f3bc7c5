"""The web room: the only one that knows requests, cookies, CSRF and pages.

Owns the Flask application class, the protocol's addresses, the browser pages and the table
that maps errors to answers. Decides nothing about sign-in, consent or tokens: oauth/ and
login/ do. Used by app.py.
Reading order: application, edge, body, context, problems, mounting; then protocol/, pages/.
"""

from idp.web.application import Application
from idp.web.context import container
from idp.web.mounting import make_application, mount

__all__ = ["Application", "container", "make_application", "mount"]
