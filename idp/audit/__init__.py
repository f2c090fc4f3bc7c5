"""Audit: what happened, by whom, from where; written with the change it reports.

Owns the closed vocabulary of events, the actor, and the counter of issued
client-credentials tokens. Decides nothing and reads nothing back. The flow that makes the
change records it, never a page or a repository.
Called by oauth, login and admin; ``Source`` by the entrances too.
Reading order: vocabulary, actor, record, issue_counter, description.
"""

from idp.audit.actor import Actor, Source
from idp.audit.description import describe_events, reference_markdown
from idp.audit.issue_counter import IssueCounter
from idp.audit.record import Audit
from idp.audit.vocabulary import AuditEvent

__all__ = [
    "Actor",
    "Audit",
    "AuditEvent",
    "IssueCounter",
    "Source",
    "describe_events",
    "reference_markdown",
]
