"""Browser pages: server-rendered forms that work without a script.

Owns cookies, CSRF, security headers, language and templates; one blueprint carries the hooks.
Shows what oauth/ and login/ ask for and gives them what the person typed; never picks the
next step itself.
Called by mount. Reading order: blueprint, visit, csrf, headers, render; steps; then one file
per page.
"""

from idp.web.pages.assets import assets, prepare_assets
from idp.web.pages.authorize import may_answer_at_once
from idp.web.pages.blueprint import pages
from idp.web.pages.crowd import Crowd
from idp.web.pages.locale import prepare_translations
from idp.web.pages.problem import problem_page

__all__ = [
    "Crowd",
    "assets",
    "may_answer_at_once",
    "pages",
    "prepare_assets",
    "prepare_translations",
    "problem_page",
]
