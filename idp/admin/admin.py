"""All administrative functions under one name."""

from dataclasses import dataclass
from typing import Self

from idp.admin.accounts import AccountAdmin
from idp.admin.clients import ClientAdmin
from idp.admin.context import AdminContext
from idp.admin.keys import KeyAdmin
from idp.admin.resources import ResourceAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """What the command line offers, by noun."""

    accounts: AccountAdmin
    clients: ClientAdmin
    resources: ResourceAdmin
    keys: KeyAdmin

    @classmethod
    def build(cls, context: AdminContext) -> Self:
        """All of them over one context."""
        return cls(
            accounts=AccountAdmin(context),
            clients=ClientAdmin(context),
            resources=ResourceAdmin(context),
            keys=KeyAdmin(context),
        )
