"""One-time: codes and links that are sent to a person and work once, and drafts of changes.

Owns how they are made, digested, counted and used up, on the one primitive of storage. Knows
neither what they are good for (login/, selfservice/, accounts/) nor how they travel
(delivery/). Works in the caller's transaction.
Called by login, selfservice and accounts; how codes are read by authenticators.
Reading order: claimed, typed, codes, links, drafts.
"""

from idp.onetime.claimed import Claimed
from idp.onetime.codes import MOST_TRIES, OneTimeCodes
from idp.onetime.drafts import OneTimeDrafts
from idp.onetime.links import OneTimeLinks
from idp.onetime.typed import digits_of, without_separators

__all__ = [
    "MOST_TRIES",
    "Claimed",
    "OneTimeCodes",
    "OneTimeDrafts",
    "OneTimeLinks",
    "digits_of",
    "without_separators",
]
