"""Authorization codes: 256 random bits, of which the database keeps a digest (rows C9, C10)."""

from functools import partial

from idp.crypto import random_token, token_digest

AUTHORIZATION_CODE_PREFIX = "idp_ac_"
"""Lets secret scanners find leaked codes (row T18)."""

AUTHORIZATION_CODE_KIND = "authorization_code"
"""Kind of the one-time row, and label of the digest: a code can never be found as anything else."""


class AuthorizationCodes:
    """Makes codes and finds their digests; what a code stands for is its one-time row."""

    def new(self) -> tuple[str, bytes]:
        """A fresh code and the digest to store."""
        code = AUTHORIZATION_CODE_PREFIX + random_token()
        return code, self.digest_of(code)

    digest_of = staticmethod(partial(token_digest, AUTHORIZATION_CODE_KIND))
    """The digest under which a presented code would be stored; never fails on junk."""
