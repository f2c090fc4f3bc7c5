"""Scopes and resources: what is granted, and whom a token is for."""

import pytest
from authlib.oauth2.rfc6749.errors import InvalidScopeError
from hypothesis import given
from hypothesis import strategies as st

from idp.oauth.errors import InvalidTargetError
from idp.oauth.scopes import format_scope, narrow, parse_scope
from tests.unit.oauth_authorization.conftest import ISSUER, FrontChannel

A, B = "https://a.example", "https://b.example"


@pytest.fixture
def apis(front: FrontChannel) -> FrontChannel:
    front.resource(A, a_read="Read A", common="Share A")
    front.resource(B, b_read="Read B", common="Share B")
    front.client("shop", scope="openid email offline_access a:read b:read common own:scope")
    return front


def resolve(front: FrontChannel, scope: str, *resources: str, client: str = "shop"):
    found = front.clients.find(client)
    assert found is not None
    return front.scopes.for_authorization(client=found, requested=parse_scope(scope), resources=resources)


@given(
    st.lists(
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1)
    )
)
def test_scope_values_survive_and_are_distinct(values):
    parsed = parse_scope("  ".join(values))

    assert parsed == tuple(dict.fromkeys(values))
    assert parse_scope(format_scope(parsed)) == parsed


@pytest.mark.parametrize("text", ['a"b', "a\\b", "ä", "a\tb", "a\nb", "\x00", " ".join(map(str, range(101)))])
def test_malformed_scope_is_refused(text):
    """RFC 6749 §3.3."""
    with pytest.raises(InvalidScopeError):
        parse_scope(text)


def test_unknown_scopes_are_ignored_and_known_ones_need_a_registration(apis: FrontChannel):
    """K4: granted are only scopes registered for the client."""
    assert resolve(apis, "openid nobody:knows email").scopes == ("openid", "email")
    with pytest.raises(InvalidScopeError):
        resolve(apis, "openid a:read", client="web")
    with pytest.raises(InvalidScopeError):
        resolve(apis, "openid phone")


def test_resource_narrows_the_scopes(apis: FrontChannel):
    """RFC 8707 §2.2: scopes of other resource servers are left out."""
    granted = resolve(apis, "openid a:read b:read common own:scope", A)

    assert granted.resources == (A,)
    assert granted.scopes == ("openid", "a:read", "common", "own:scope")


def test_scopes_imply_their_resource_server(apis: FrontChannel):
    assert resolve(apis, "openid a:read").resources == (A,)
    assert resolve(apis, "openid a:read b:read").resources == (A, B)
    assert resolve(apis, "openid own:scope").resources == ()
    assert resolve(apis, "openid", ISSUER).resources == ()


def test_the_default_audience(apis: FrontChannel):
    """RFC 8707 §2.2: the resource that was named; else userinfo for a sign-in; else the scopes' owner."""
    assert resolve(apis, "openid a:read").default_audience == ISSUER
    assert resolve(apis, "openid a:read", A).default_audience == A
    assert resolve(apis, "openid a:read", ISSUER).default_audience == ISSUER
    assert resolve(apis, "openid a:read", A, ISSUER).default_audience == ISSUER
    assert resolve(apis, "a:read").default_audience == A
    assert resolve(apis, "own:scope").default_audience == ISSUER
    assert resolve(apis, "a:read b:read").default_audience is None
    assert resolve(apis, "a:read b:read", A, B).default_audience is None


def user_token(
    front: FrontChannel,
    scopes: str,
    resources: tuple[str, ...],
    resource: str | None = None,
    default: str | None = None,
):
    return front.scopes.for_user_token(
        granted=parse_scope(scopes), granted_resources=resources, resource=resource or default
    )


def test_one_audience_per_user_token(apis: FrontChannel):
    """T5, RFC 9068 §2.2.3: one audience, and only scopes that mean something to it."""
    everything = "openid email a:read b:read own:scope"

    at_a = user_token(apis, everything, (A, B), A)
    at_issuer = user_token(apis, everything, (A, B), default=ISSUER)

    assert (at_a.audience, at_a.scopes) == (A, ("a:read", "own:scope"))
    assert at_a.resource_server is not None
    assert (at_issuer.audience, at_issuer.scopes) == (ISSUER, ("openid", "email", "own:scope"))
    assert user_token(apis, "openid a:read", (A,), default=A).audience == A
    assert user_token(apis, "openid a:read", (A,), ISSUER, default=A).audience == ISSUER


def test_user_token_for_what_was_not_granted_is_invalid_target(apis: FrontChannel):
    """T10: only an equal or narrower resource at refresh."""
    with pytest.raises(InvalidTargetError):
        user_token(apis, "openid a:read", (A,), B)
    with pytest.raises(InvalidTargetError):
        user_token(apis, "a:read b:read", (A, B))


def test_narrowing(apis: FrontChannel):
    """T10: only an equal or narrower scope at refresh."""
    assert narrow(("openid", "email"), ()) == ("openid", "email")
    assert narrow(("openid", "email"), ("email",)) == ("email",)
    with pytest.raises(InvalidScopeError):
        narrow(("openid",), ("email",))


def client_token(front: FrontChannel, scope: str | None, resource: str | None = None):
    found = front.clients.find("shop")
    assert found is not None
    return front.scopes.for_client_token(client=found, requested=parse_scope(scope), resource=resource)


def test_client_tokens_hold_no_openid_scopes(apis: FrontChannel):
    """OpenID scopes are about a person."""
    token = client_token(apis, "openid a:read")

    assert (token.audience, token.scopes) == (A, ("a:read",))
    assert client_token(apis, None, B).scopes == ("b:read", "common", "own:scope")
    with pytest.raises(InvalidScopeError):
        client_token(apis, "openid")
    with pytest.raises(InvalidScopeError):
        client_token(apis, "phone")
    with pytest.raises(InvalidTargetError):
        client_token(apis, None)
    with pytest.raises(InvalidTargetError):
        client_token(apis, "a:read", "https://unknown.example")


def test_supported_scopes_are_openid_and_those_of_resource_servers(apis: FrontChannel):
    assert apis.scopes.supported()[:2] == ("openid", "profile")
    assert {"a:read", "b:read", "common"} <= set(apis.scopes.supported())
    assert "own:scope" not in apis.scopes.supported()
