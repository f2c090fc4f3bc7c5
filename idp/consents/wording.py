"""What people read about scopes and claims."""

from collections.abc import Mapping

from idp.languages import marked

# The page translates them when it shows them.
SENTENCES: Mapping[str, str] = {
    "openid": marked("Confirm who you are"),
    "profile": marked("See your profile: name, picture, language and the like"),
    "email": marked("See your e-mail address"),
    "address": marked("See your postal address"),
    "phone": marked("See your phone number"),
    "groups": marked("See which groups you belong to"),
    "offline_access": marked("Keep this access while you are away"),
    "name": marked("See your full name"),
    "family_name": marked("See your family name"),
    "given_name": marked("See your given name"),
    "middle_name": marked("See your middle name"),
    "nickname": marked("See your nickname"),
    "preferred_username": marked("See your username"),
    "picture": marked("See your picture"),
    "website": marked("See your website"),
    "gender": marked("See your gender"),
    "birthdate": marked("See your date of birth"),
    "zoneinfo": marked("See your time zone"),
    "locale": marked("See your language"),
    "updated_at": marked("See when your profile last changed"),
    "email_verified": marked("See whether your e-mail address is verified"),
    "phone_number": marked("See your phone number"),
    "phone_number_verified": marked("See whether your phone number is verified"),
}
"""One sentence per OpenID scope and per claim; resource servers register their own."""
