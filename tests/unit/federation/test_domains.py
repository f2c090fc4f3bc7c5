"""Domains of addresses, and whom a provider may vouch for."""

from datetime import UTC, datetime

import pytest

from idp.federation import Provider, ProviderKind, ascii_domain, domain_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.ORG", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("example", None),
        ("example.org.", None),
        ("exa mple.org", None),
        ("a" * 64 + ".example", None),
        ("\ud800.example", None),
        ("", None),
        ("x." * 200 + "example", None),
    ],
)
def test_a_domain_has_one_form(text, domain):
    assert ascii_domain(text) == domain


def test_the_domain_is_behind_the_last_at():
    assert domain_of('"a@example.org"@evil.example') == "evil.example"
    assert domain_of("nobody") is None


@pytest.mark.parametrize(
    ("trusted", "email", "may"),
    [
        (("example.org",), "a@example.org", True),
        (("example.org",), "a@EXAMPLE.org", True),
        (("example.org",), "a@sub.example.org", False),
        (("example.org",), "a@notexample.org", False),
        (("example.org",), "a@example.org@evil.example", False),
        (("example.org",), "example.org", False),
        (("xn--bcher-kva.example",), "a@bücher.example", True),
        (("*",), "a@anything.example", True),
        ((), "a@example.org", False),
    ],
)
def test_a_provider_vouches_for_exactly_the_domains_it_is_trusted_for(trusted, email, may):
    """V8: neither a domain below nor one that ends alike."""
    provider = Provider(
        id="e",
        preset="oidc",
        kind=ProviderKind.OIDC,
        name="E",
        client_id="c",
        created_at=NOW,
        updated_at=NOW,
        trusted_email_domains=trusted,
    )

    assert provider.may_vouch_for(email) is may
