"""All administrative functions under one name."""

from dataclasses import dataclass
from typing import Self

from idp.admin.account_sessions import AccountSessionAdmin
from idp.admin.accounts import AccountAdmin
from idp.admin.clients import ClientAdmin
from idp.admin.context import AdminContext
from idp.admin.invitations import InvitationAdmin
from idp.admin.keys import KeyAdmin
from idp.admin.messages import MessageAdmin
from idp.admin.providers import FederationServices, ProviderAdmin
from idp.admin.resources import ResourceAdmin
from idp.delivery import MailSender, Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """What the command line offers, by noun."""

    accounts: AccountAdmin
    account_sessions: AccountSessionAdmin
    invitations: InvitationAdmin
    clients: ClientAdmin
    resources: ResourceAdmin
    providers: ProviderAdmin
    keys: KeyAdmin
    messages: MessageAdmin

    @classmethod
    def build(
        cls, context: AdminContext, *, outbox: Outbox, mail: MailSender, federation: FederationServices
    ) -> Self:
        """All of them over one context, and what only some of them need."""
        return cls(
            accounts=AccountAdmin(context),
            account_sessions=AccountSessionAdmin(context),
            invitations=InvitationAdmin(context),
            clients=ClientAdmin(context),
            resources=ResourceAdmin(context),
            providers=ProviderAdmin(context, federation),
            keys=KeyAdmin(context),
            messages=MessageAdmin(context, outbox, mail),
        )
