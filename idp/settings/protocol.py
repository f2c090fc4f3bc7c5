"""Sections about tokens, keys, sessions, passwords and limits."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from idp.settings.rates import RateText
from idp.settings.values import DAY, HOUR, MINUTE, SECOND, Duration, Section


class TokenSettings(Section):
    """Lifetimes and formats of issued tokens. A client's own registration may say otherwise."""

    authorization_code_lifetime: Duration = Field(default=60 * SECOND, ge=SECOND, le=60 * SECOND)
    """How long a client has to exchange an authorization code; a minute at most (FAPI 2.0 §5.3.2.1)."""

    access_token_lifetime: Duration = Field(default=5 * MINUTE, ge=10 * SECOND, le=DAY)
    """How long an access token is valid. Short, because a resource server that checks the signature alone
    does not hear of a revocation."""

    access_token_format: Literal["jwt", "opaque"] = "jwt"
    """`jwt`: resource servers verify it by the published keys (RFC 9068). `opaque`: they ask at the
    introspection endpoint."""

    id_token_lifetime: Duration = Field(default=10 * MINUTE, ge=10 * SECOND, le=DAY)
    """How long an ID token may be accepted by the client; not the length of the sign-in."""

    refresh_token_lifetime: Duration = Field(default=90 * DAY, ge=MINUTE, le=3650 * DAY)
    """How long refreshing works after the sign-in, used or not."""

    refresh_token_idle_lifetime: Duration = Field(default=30 * DAY, ge=MINUTE, le=3650 * DAY)
    """How long a refresh token may lie unused."""

    refresh_token_grace: Duration = Field(default=10 * SECOND, ge=0 * SECOND, le=60 * SECOND)
    """How long after a rotation the previous refresh token still gets the identical answer, for lost answers
    and parallel tabs. Later it counts as stolen and ends the whole family. 0 allows none."""

    @model_validator(mode="after")
    def _idle_within_absolute(self) -> Self:
        if self.refresh_token_idle_lifetime > self.refresh_token_lifetime:
            raise ValueError("refresh_token_idle_lifetime must not exceed refresh_token_lifetime")
        return self


class KeySettings(Section):
    """The root key on disk and the signing keys it seals in the database."""

    dir: Path = Path("keys")
    """Folder of `root.key`, which is made on the first start and must be readable by its owner alone. Every
    node needs the same file; without it no signing key, refresh token or password can be checked. Back it up
    apart from the database."""

    jwks_max_age: Duration = Field(default=60 * SECOND, ge=SECOND, le=DAY)
    """How long relying parties may cache the published keys: the longest time until they learn of a revoked
    key."""

    publication_lead: Duration = Field(default=5 * MINUTE, ge=SECOND, le=30 * DAY)
    """How long a new key is published before it signs. At least `jwks_max_age`, so that no relying party
    meets a key it does not know."""

    rotation_interval: Duration = Field(default=90 * DAY, ge=0 * SECOND, le=3650 * DAY)
    """How long one key signs before the server rotates it by itself; 0 leaves that to `idp key rotate`."""

    @model_validator(mode="after")
    def _published_before_use(self) -> Self:
        if self.publication_lead < self.jwks_max_age:
            raise ValueError("publication_lead must not be shorter than jwks_max_age")
        return self


class SessionSettings(Section):
    """How long a person stays signed in at the identity provider itself."""

    idle_lifetime: Duration = Field(default=12 * HOUR, ge=MINUTE, le=30 * DAY)
    """How long a sign-in lasts without being used. Half a day: a working day, not the night after it."""

    absolute_lifetime: Duration = Field(default=30 * DAY, ge=MINUTE, le=30 * DAY)
    """How long a sign-in lasts however much it is used; 30 days at most (NIST SP 800-63B-4 §2.1.3, one
    factor)."""

    level_lifetime: Duration = Field(default=24 * HOUR, ge=MINUTE, le=30 * DAY)
    """How long a sign-in counts as one of two factors. Afterwards it counts as one of a single factor, and
    clients that ask for more get a new proof. A day at most at NIST's AAL2 (SP 800-63B-4 §2.2.3)."""

    level_idle_lifetime: Duration = Field(default=HOUR, ge=MINUTE, le=30 * DAY)
    """How long it counts as one of two factors without being used. An hour at most at AAL2."""

    interaction_lifetime: Duration = Field(default=HOUR, ge=MINUTE, le=DAY)
    """How long a half-finished sign-in page, one browser tab, can still be finished."""

    touch_interval: Duration = Field(default=60 * SECOND, ge=0 * SECOND, le=HOUR)
    """How exactly the last use is recorded. Uses closer together than this cost no write."""

    geoip_file: Path | None = None
    """Database of places by network address, in the MMDB format (GeoLite2-City and the like), for the list of
    a person's sign-ins. None shows addresses alone."""

    @model_validator(mode="after")
    def _idle_within_absolute(self) -> Self:
        if self.idle_lifetime > self.absolute_lifetime:
            raise ValueError("idle_lifetime must not exceed absolute_lifetime")
        return self

    @model_validator(mode="after")
    def _use_is_noticed_in_time(self) -> Self:
        if self.touch_interval >= self.level_idle_lifetime:
            raise ValueError("touch_interval must be shorter than level_idle_lifetime")
        return self


class PasswordSettings(Section):
    """Password rules and the cost of checking one. `idp tune-hash` recommends the Argon2 figures."""

    argon2_memory_kib: int = Field(default=19456, ge=8, le=4194304)
    """Memory of one Argon2id hash in KiB. 19456 (19 MiB) with two passes is the OWASP minimum; do not go
    below it outside of tests. Raised values take effect at each person's next sign-in."""

    argon2_passes: int = Field(default=2, ge=1, le=100)
    """Passes over that memory."""

    argon2_lanes: int = Field(default=1, ge=1, le=64)
    """Lanes (threads) of one hash."""

    max_concurrent_hashes: int = Field(default=1, ge=1, le=64)
    """How many hashes one worker computes at a time, each on a processor of its own. Each holds
    `argon2_memory_kib`. Workers times this number: no more than there are processors."""

    max_waiting_hashes: int = Field(default=20, ge=0, le=240)
    """How many further sign-ins may wait for a hash in one worker. Each holds one of
    `server.blocking_threads` and no processor; whoever comes when nobody more may wait is answered with 503
    at once."""

    hash_queue_timeout: Duration = Field(default=5 * SECOND, ge=0.05 * SECOND, le=10 * SECOND)
    """How long a sign-in waits for its hash to begin; then it is answered with 503. While the token endpoint
    takes the whole processor, a worker still computes some four hashes a second, so twenty can wait as long
    as this."""

    min_length: int | None = Field(default=None, ge=8, le=64)
    """Shortest new password in characters (Unicode code points). By default 15 where people choose it for
    themselves and the password may be all they sign in with, and 8 where `login.second_factor` is
    `required` (NIST SP 800-63B-4 §3.1.1.2) or an operator sets it at the command line; a number here holds
    for all of them."""

    max_bytes: int = Field(default=1024, ge=256, le=4096)
    """Longest password in bytes of UTF-8; longer ones are refused before any hashing."""

    @model_validator(mode="after")
    def _memory_for_lanes(self) -> Self:
        if self.argon2_memory_kib < 8 * self.argon2_lanes:
            raise ValueError("argon2_memory_kib must be at least 8 for each of argon2_lanes")
        return self


class RatelimitSettings(Section):
    """Limits per source address. The counters per account are separate and always on."""

    enabled: bool = True
    """Whether sources are limited. Switch it off on test benches only."""

    login_per_source: RateText = "20/minute"
    """Sign-in attempts from one address."""

    login_spray_per_source: RateText = "100/hour"
    """Failed sign-ins from one address over all accounts, against one password tried on many of them."""

    client_auth_failures_per_source: RateText = "60/minute"
    """Failed client authentications from one address. Successful token requests are never limited."""

    requests_per_source: RateText = "300/minute"
    """Authorization requests from one address without a signed-in person, counted by each worker for itself.
    Each of them is stored until `sessions.interaction_lifetime` has passed."""

    account_requests_per_source: RateText = "30/minute"
    """Steps of registration and recovery from one address: asking for codes and links, and using them."""

    strength_per_source: RateText = "60/minute"
    """Passwords from one address that are judged while they are typed, counted by each worker for itself."""

    mail_per_recipient: RateText = "10/hour"
    """Mails with codes and links that are asked for, to one address. Notices of what was done to an account
    are not among them. Whoever asks once too often is not told whether the account exists."""

    mail_per_source: RateText = "30/hour"
    """Such mails asked for from one address."""

    mail_total: RateText = "5000/hour"
    """Such mails in all."""

    sms_per_recipient: RateText = "5/hour"
    """SMS to one number."""

    sms_per_source: RateText = "10/hour"
    """SMS asked for from one address."""

    sms_total: RateText = "500/hour"
    """SMS in all: what a flood may cost."""
