"""``/account``: what a person says about themself."""

from flask import Response

from idp.web.pages.account_guard import account_page


def account_profile() -> Response:
    """Show the profile."""
    return account_page("account/profile.html", section="profile")


ROUTES = (("/account", "GET", account_profile),)
