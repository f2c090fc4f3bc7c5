"""Logs: one JSON object a line, with a request id and without any secret.

Owns the format, the redaction and the request id. Decides nothing about what is logged.
Called by every floor above: `log = get_logger(__name__)`, then
`log.info("token.refused", extra={"fields": {"client_id": client_id}})`.
Reading order: context, redaction, formatting, configuration.
"""

from idp.observability.configuration import configure_logging, get_logger
from idp.observability.context import new_request_id, request_id
from idp.observability.redaction import redact, redact_fields

__all__ = ["configure_logging", "get_logger", "new_request_id", "redact", "redact_fields", "request_id"]
