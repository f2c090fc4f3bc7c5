"""Self-service: what a signed-in person sees and changes of themself.

Owns the rules; shows no page (web/) and signs nobody in (login/).
Called by web/pages.
Reading order: freshness.
"""

from idp.selfservice.freshness import NotFresh, assert_fresh

__all__ = ["NotFresh", "assert_fresh"]
