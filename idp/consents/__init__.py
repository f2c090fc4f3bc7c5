"""Consents: what a person has allowed a client to do.

Owns the record and the question "does it cover what is asked?".
Does not ask the person (oauth/authorization/) and issues nothing (tokens/).
Called by oauth and admin.
"""

from idp.consents.consents import Consents, Missing

__all__ = ["Consents", "Missing"]
