"""Other providers for a browser that goes nowhere: what is needed to look at every page about them."""

from dataclasses import replace

from playwright.sync_api import Page

from idp.container.federating import build_upstreams
from idp.federation import Providers, UpstreamIdentity, preset_names
from idp.login import Errand, First, Newcomer, Newcomers
from idp.login.federated import TIME_TO_JOIN
from tests.provider import Provider

THERE = "https://upstream.example"
ID = "acme"


def offer(provider: Provider) -> None:
    """A button for every drawing, and one for a company without any; nobody is asked where they lead."""
    here, now = provider.container, provider.clock.now()
    if here.providers.find(ID) is not None:
        return
    manual = {
        "kind": "oidc",
        "client_id": "ours",
        "issuer": THERE,
        "discovery": False,
        "authorization_endpoint": f"{THERE}/authorize",
        "token_endpoint": f"{THERE}/token",
        "jwks_uri": f"{THERE}/jwks",
        "authorization_origins": [THERE],
        "auth_method": "client_secret_post",
        "trusted_email_domains": ["example.org"],
    }
    names = sorted(set(preset_names()) - {"oidc", "oauth2"})
    providers = Providers(here.repos, here.provider_secrets)
    with here.database.transaction():
        for name in names:
            configuration = {**manual, "preset": name, "name": name.title(), "position": 1}
            providers.create(name, configuration, secret="a secret", now=now)
        company = {**manual, "preset": "oidc", "name": "Example company"}
        providers.create(ID, company, secret="a secret", now=now)
    provider.settle()


def send(provider: Provider, page: Page, first: First, *, email: str) -> None:
    """Somebody whom the company has sent to this browser waits in it."""
    page.goto(f"{provider.issuer}/login")
    browser = next(one["value"] for one in page.context.cookies() if one["name"] == "idp_browser")
    here, now = provider.container, provider.clock.now()
    identity = somebody(email)
    newcomer = Newcomer(account_id="acc_new", identity=identity, first=first, errand=Errand())
    if first is First.KNOWN:
        newcomer = replace(newcomer, address=email, proved=True)
    with here.database.transaction():
        newcomers = Newcomers(here.drafts_once, build_upstreams(here))
        newcomers.keep(newcomer, browser, lifetime=TIME_TO_JOIN, now=now)


def link(provider: Provider, account_id: str) -> None:
    """The account has one at the company, too."""
    here, now = provider.container, provider.clock.now()
    with here.database.transaction():
        here.identities.link(somebody(f"{account_id}@elsewhere.example"), account_id, now)


def somebody(email: str) -> UpstreamIdentity:
    """Who the company says it is."""
    return UpstreamIdentity(
        provider_id=ID,
        issuer=THERE,
        subject=email,
        claims={"name": "Ada King"},
        email=email,
        email_verified=True,
        groups=(),
        auth_time=None,
        acr=None,
        amr=(),
        upstream_sid=None,
        id_token=None,
        tokens=None,
    )
