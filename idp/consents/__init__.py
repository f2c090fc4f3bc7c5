"""Consents: what a person has allowed a client to do.

Owns the record, the question "does it cover what is asked?" and the words for scopes and claims.
Does not ask the person (oauth/authorization/) and issues nothing (tokens/).
Called by oauth, selfservice and admin.
"""

from idp.consents.consents import Consents, Missing
from idp.consents.wording import SENTENCES

__all__ = ["SENTENCES", "Consents", "Missing"]
