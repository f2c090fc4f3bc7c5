"""Whether an authentic, unexpired access token still counts: all epochs in one place (row T16).

An epoch is a ``not_before`` on the deployment, the client or the account: "password
changed", "client disabled" and "restored from a backup" are all "nothing from before this
moment counts" (decision D13).
"""

from datetime import datetime

from idp.storage.hot import AccessState
from idp.tokens.access import AccessTokenClaims


def is_dead(
    state: AccessState,
    claims: AccessTokenClaims,
    client_not_before: datetime | None,
    deployment_not_before: datetime | None,
) -> bool:
    """Whether the token was revoked by any of the ways there are.

    ``iat`` and ``auth_time`` in a token are whole seconds rounded down, so what was issued
    in the very second of an epoch, but after it, is refused too: the safe side, for at most
    one second.

    Args:
        state: what the database says, from :meth:`HotStore.check_access`.
        claims: the parsed token.
        client_not_before: epoch of the client that got the token.
        deployment_not_before: epoch of the whole deployment.

    The caller has made sure that the client exists and is enabled.
    """
    if state.revoked:
        return True
    if claims.fam is None:
        return _before(claims.iat, client_not_before, deployment_not_before)
    account = state.account
    if not state.family_live or account is None or account.disabled or account.id != claims.sub:
        return True
    if _before(claims.iat, client_not_before, deployment_not_before, account.not_before):
        return True
    # A sign-in from before the account's epoch gives nothing new after it.
    return claims.auth_time is not None and _before(
        claims.auth_time, deployment_not_before, account.not_before
    )


def _before(moment: datetime, *epochs: datetime | None) -> bool:
    """Whether the moment lies before the latest of the epochs."""
    return any(epoch is not None and moment < epoch for epoch in epochs)
