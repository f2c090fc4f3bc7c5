"""Rate limits per source.

Owns the windows (the ephemeral store counts) and the names that are counted. Does not find out
the source address (web/) and does not count failures per account, which must survive everything
(authenticators/).
Called by login and oauth.
Reading order: limiter, keys, counters.
"""

from idp.ratelimit.keys import normalised_source
from idp.ratelimit.limiter import Limit, RateLimiter

__all__ = ["Limit", "RateLimiter", "normalised_source"]
