"""The stateless endpoints: no cookies, no CSRF, no templates, no hooks, no Flask.

Owns the addresses of the protocol, strict reading of their bodies, CORS, and metadata as
prepared bytes. Knows nothing of grants and tokens (oauth/).
Called by mounting. Reading order: routes, endpoint, back_channel, documents, discovery, well_known, cors.
"""

from idp.web.protocol.cors import cors_headers
from idp.web.protocol.endpoint import problem_answer
from idp.web.protocol.routes import PATHS, add_protocol
from idp.web.protocol.upstream_logout import is_upstream_logout

__all__ = ["PATHS", "add_protocol", "cors_headers", "is_upstream_logout", "problem_answer"]
