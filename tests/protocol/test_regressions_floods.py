"""What anybody can send without signing in must not fill the database."""

from tests.provider import response_parameters

LIMIT = 5


def test_authorization_requests_of_strangers_are_limited(new_provider):
    """X3: each request that needs a page is stored; one source gets no endless supply of them."""
    provider = new_provider(ratelimit={"enabled": True, "requests_per_source": f"{LIMIT}/minute"})
    provider.account("ada")
    shop = provider.client("shop", require_pkce=False)
    ada = provider.browser()
    provider.sign_in(provider.authorize(ada, shop))

    pages = [provider.authorize(provider.browser(), shop) for _ in range(LIMIT)]
    refused = pages[-1]

    assert [page.status for page in pages] == [200] * (LIMIT - 1) + [429]
    assert int(refused.answer.header("Retry-After") or 0) > 0
    assert "code" in response_parameters(provider.authorize(ada, shop)), "who is signed in goes on"
    provider.advance(minutes=2)
    assert provider.authorize(provider.browser(), shop).has("login-submit")
