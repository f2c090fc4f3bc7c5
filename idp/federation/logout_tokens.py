"""Logout tokens: a provider says that a session, or everything of a person, ended there.

Source: OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6 (row K11).
"""

from datetime import timedelta

from idp.federation.departures import UpstreamLogout
from idp.federation.errors import UpstreamRefused
from idp.federation.signed_tokens import VerifiedToken, moment, name_of

LOGOUT_TOKEN_TYPES = frozenset({None, "jwt", "logout+jwt"})
"""``typ`` of a logout token. The specification recommends the last and tolerates the others; what tells a
logout token from an ID token in any case is ``events``, and that there is no ``nonce``."""

_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_LIFE = timedelta(days=1)


def read_logout_token(token: VerifiedToken) -> UpstreamLogout:
    """What the token says.

    Args:
        token: its signature, issuer, audience and times are checked already.

    Raises:
        UpstreamRefused: it is no logout token, or names nothing that could end.
    """
    claims = token.claims
    if "nonce" in claims:
        raise UpstreamRefused("logout_token_with_nonce")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_EVENT), dict):
        raise UpstreamRefused("logout_event_missing")
    jti = name_of(claims.get("jti"))
    if jti is None:
        raise UpstreamRefused("logout_token_id_missing")
    subject, sid = name_of(claims.get("sub")), name_of(claims.get("sid"))
    # Present and unreadable is not absent: a number as "sub" must not become "every session named by sid".
    if (subject is None and "sub" in claims) or (sid is None and "sid" in claims):
        raise UpstreamRefused("subject_invalid")
    if subject is None and sid is None:
        raise UpstreamRefused("logout_token_names_nothing")
    issued, expires = moment(claims["iat"]), moment(claims["exp"])
    # Its jti is remembered for as long as it lives, so it must not live forever.
    if issued is None or expires is None or expires - issued > _LONGEST_LIFE:
        raise UpstreamRefused("logout_token_lives_too_long")
    return UpstreamLogout(issuer=token.issuer, subject=subject, sid=sid, jti=jti, expires_at=expires)
