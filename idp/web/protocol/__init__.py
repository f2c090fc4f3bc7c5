"""The stateless endpoints: no cookies, no CSRF, no templates, no hooks.

Owns the addresses of the protocol, strict reading of their bodies, CORS, and metadata as
prepared bytes. Knows nothing of grants and tokens (oauth/).
Called by mount. Reading order: blueprint, then one file per endpoint; cors, discovery.
"""

from idp.web.protocol.blueprint import PATHS, protocol, register_root_metadata
from idp.web.protocol.cors import cors_headers
from idp.web.protocol.discovery import prepare_discovery

__all__ = ["PATHS", "cors_headers", "prepare_discovery", "protocol", "register_root_metadata"]
