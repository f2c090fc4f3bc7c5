"""A client that is registered under the id of a deleted one inherits nothing."""


def test_tokens_of_a_former_client_stay_dead(provider):
    """T16: deleting ends a machine's tokens for good, also when its id is used again."""
    former = provider.machine("robot")
    token = provider.http.post("/token", {"grant_type": "client_credentials"}, auth=former.auth).json()
    assert provider.introspect(former, token["access_token"]).json()["active"] is True

    provider.container.admin.clients.delete("robot")
    provider.advance(seconds=1)
    present = provider.machine("robot")
    fresh = provider.http.post("/token", {"grant_type": "client_credentials"}, auth=present.auth).json()

    assert provider.introspect(present, token["access_token"]).json() == {"active": False}
    assert provider.introspect(present, fresh["access_token"]).json()["active"] is True


def test_codes_of_a_former_client_stay_dead(provider, ada):
    """C4: a code is bound to the client it was issued to, not to whoever has its id now."""
    code = provider.code(provider.client("shop", require_pkce=False))

    provider.container.admin.clients.delete("shop")
    present = provider.client("shop", require_pkce=False)

    assert provider.exchange(present, code).json()["error"] == "invalid_grant"
