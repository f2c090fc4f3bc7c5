"""Provider: everything that is asked about somebody else who says who a person is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from idp.crypto import Secret
from idp.federation.domains import ANY_DOMAIN, domain_of


class ProviderKind(StrEnum):
    """How a provider tells who somebody is."""

    OIDC = "oidc"
    """By an ID token (OpenID Connect Core)."""

    OAUTH2 = "oauth2"
    """By an address that an access token opens: no ID token, so no nonce and no signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Somebody else who says who a person is. Frozen; a change makes a new instance.

    Members are those of :data:`idp.federation.configuration.FIELDS`, with the same defaults.
    """

    id: str
    """Part of the redirect address ``/federation/{id}/callback``, so it never changes."""
    preset: str
    """What the configuration began as, for example ``google``; picks the drawing on the button."""
    kind: ProviderKind
    name: str
    """Shown on the button."""
    client_id: str
    """Ours, as the provider knows us."""
    created_at: datetime
    updated_at: datetime
    enabled: bool = True
    hidden: bool = False
    """No button; reached by home realm, hint, or a client that requires it."""
    position: int = 0
    """Order of buttons; the name decides between equal ones."""

    auth_method: str = "client_secret_basic"
    """``client_secret_basic``, ``client_secret_post``, ``private_key_jwt``, ``none``, or ``apple``: an ES256
    client secret made anew for each exchange."""
    secret: Secret[str] | None = field(default=None, repr=False)
    """The client secret, or the PEM private key (``private_key_jwt``, ``apple``)."""
    key_id: str | None = None
    """``kid`` of the private key."""
    team_id: str | None = None
    """Issuer of the client secret (``apple``)."""

    issuer: str | None = None
    """OpenID Connect. May hold ``{tenantid}`` (Entra): then ``tid`` of the ID token fills it."""
    allowed_tenants: tuple[str, ...] = ()
    """Which ``tid`` may come; empty: every one."""
    discovery: bool = True
    """Whether the addresses come from ``{issuer}/.well-known/openid-configuration``."""
    discovery_url: str | None = None
    """Where the metadata is when it is not there: Entra's issuer holds a gap, its address does not."""
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    end_session_endpoint: str | None = None
    par_endpoint: str | None = None
    emails_endpoint: str | None = None
    """A list of addresses with ``verified`` (GitHub)."""
    authorization_origins: tuple[str, ...] = ()
    """Origins that the way there may lead to, for the CSP directive ``form-action``."""

    scopes: tuple[str, ...] = ()
    authorization_params: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of every authorization request."""
    response_mode: str | None = None
    """``form_post`` for Apple, which answers so when a name or address is asked for."""
    use_par: bool = False
    """Also done when the metadata requires it (RFC 9126)."""
    pkce: bool = True
    """Off for who refuses a ``code_verifier`` (LinkedIn)."""
    wishes: tuple[str, ...] = ("login", "max_age", "login_hint", "ui_locales", "acr_values")
    """What it can be asked for; ``login`` and ``select_account`` are values of ``prompt``.

    Not every provider knows ``select_account``, and some refuse a request with a value they do not know."""
    echoes_nonce: bool = True
    """Off for who never sends ``nonce`` back (LinkedIn): it may be missing then, but never wrong."""
    id_token_algs: tuple[str, ...] = ("RS256", "ES256", "PS256", "EdDSA")
    """Signature algorithms that count; never ``none``, never a shared secret's."""

    userinfo: str = "auto"
    """When claims are fetched: ``auto`` (some that are wanted are missing in the ID token), ``always``,
    ``never``."""
    numeric_subject: bool = False
    """Whether a whole number becomes its decimal text as ``sub`` (GitHub). OAuth 2.0 only."""
    email_verified_as_text: bool = False
    """Whether the text ``true`` counts as true (Apple)."""
    name_in_answer: bool = False
    """Whether the answer itself may carry the name, once, as JSON in ``user`` (Apple)."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """Our claim and the path in theirs, for example ``{"sub": "id", "email": "emails.0.value"}``."""
    group_claim: str | None = None
    """Path of the list of groups in their claims."""
    group_map: Mapping[str, str] = field(default_factory=dict)
    """Group there and ours; groups that are not named here are dropped."""

    trusted_email_domains: tuple[str, ...] = ()
    """Whose addresses it may vouch for (row V8); ``("*",)`` is every domain."""
    home_domains: tuple[str, ...] = ()
    """Domains of e-mail addresses that lead straight here."""
    creates: str = "automatic"
    """At the first sign-in of somebody unknown: ``automatic``, ``ask`` (the person fills in what is missing)
    or ``never``."""
    required_claims: tuple[str, ...] = ()
    """Asked for when missing; of ``email``, ``name``, ``given_name``, ``family_name``."""
    profile_sync: str = "first"
    """When the profile here follows the one there: ``first``, ``always`` or ``never``."""
    trust_assurance: bool = False
    """Whether its ``amr``, ``acr`` and ``auth_time`` count."""
    acr_map: Mapping[str, str] = field(default_factory=dict)
    """Their ``acr`` and ours."""
    stores_tokens: bool = False
    """Whether its tokens are kept, sealed."""

    @property
    def callback_path(self) -> str:
        """Where it sends people back to, below our issuer; the operator enters it there."""
        return f"/federation/{self.id}/callback"

    def may_vouch_for(self, email: str) -> bool:
        """Whether the operator trusts what it says about addresses of this one's domain (row V8).

        Exactly that domain: those above and below it are others.
        """
        if ANY_DOMAIN in self.trusted_email_domains:
            return True
        return domain_of(email) in self.trusted_email_domains
