"""Access tokens: content, format, audience, and what is refused when forged.

| row      | MUST                                           | test                                           |
|----------|------------------------------------------------|------------------------------------------------|
| 9068 2   | typ at+jwt; iss exp aud sub client_id iat jti; | test_jwt_has_the_members_of_the_specification  |
|          | scope                                          |                                                |
| D13, T18 | opaque tokens with a prefix, saying nothing to | test_opaque_token_works_and_says_nothing       |
|          | outsiders                                      |                                                |
| D13      | format by resource server, then client, then   | test_format_is_chosen_by_the_nearest           |
|          | setting                                        |                                                |
| T5, 8707 | one audience                                   | test_audience_*                                |
| T1       | no none, no HMAC with the public key           | test_forged_token_is_refused                   |
| T2       | jwk, jku, x5u ignored; kid opaque              | test_forged_token_is_refused                   |
| T3       | unknown crit, oversize                         | test_forged_token_is_refused                   |
| T4       | the type is checked                            | test_forged_token_is_refused,                  |
|          |                                                | test_id_token_is_no_access_token               |
| T6       | exp, iat                                       | test_token_expires, test_token_from_the_future |
| T5       | another issuer                                 | test_forged_token_is_refused                   |
"""

from http import HTTPStatus
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from joserfc import jwk

from tests.protocol import jose
from tests.provider import START, Client, Pkce, Provider
from tests.transport import Answer

API = "https://api.example"
OTHER = "https://other.example"


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def test_jwt_has_the_members_of_the_specification(provider, ada, shop):
    """RFC 9068 §2.1, §2.2: header and claims of a JWT access token; the signature verifies."""
    token = provider.tokens(shop, scope="openid email")["access_token"]

    claims = jose.verified(provider, token, alg="ES256")

    head = jose.header(token)
    assert set(head) == {"alg", "kid", "typ"}
    assert head["typ"] == "at+jwt"
    now = int(START.timestamp())
    assert (claims["iss"], claims["aud"], claims["sub"]) == (provider.issuer, provider.issuer, ada["id"])
    assert claims["client_id"] == shop.id
    assert (claims["iat"], claims["exp"]) == (now, now + 300)
    assert claims["scope"].split() == ["openid", "email"]
    assert claims["auth_time"] == now
    assert len(claims["jti"]) >= 22
    assert not {"email", "name", "nonce", "sid", "at_hash"} & set(claims)


@pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
def test_client_chooses_the_algorithm(provider, ada, alg):
    """RFC 9068 §2.1, T1: asymmetric algorithms only, one registered by the client."""
    client = provider.client("rp", access_token_signing_alg=alg)

    token = provider.tokens(client)["access_token"]

    assert jose.verified(provider, token, alg=alg)["client_id"] == "rp"
    assert provider.userinfo(token).status == HTTPStatus.OK


def test_opaque_token_works_and_says_nothing(provider, ada):
    """D13, T18: an opaque token works like the JWT; to everybody else it is random text."""
    client = provider.client("rp", access_token_format="opaque")

    token = provider.tokens(client, scope="openid email")["access_token"]

    assert token.startswith("idp_at_")
    assert "." not in token
    assert ada["id"].encode() not in jose.decode(token.removeprefix("idp_at_"))
    assert provider.userinfo(token).json() == {
        "sub": ada["id"],
        "email": "ada@example.org",
        "email_verified": True,
    }
    assert provider.introspect(client, token).json()["active"] is True


def test_format_is_chosen_by_the_nearest(new_provider):
    """D13: what the resource server can read, else the client's registration, else the setting."""
    provider = new_provider(tokens={"access_token_format": "opaque"})
    create = provider.container.admin.resources.create
    create(identifier=API, name="API", scopes={"read:jwt": "Read"}, access_token_format="jwt")
    create(identifier=OTHER, name="Other", scopes={"read:any": "Read"}, access_token_format=None)
    plain = provider.machine("plain", scope="read:jwt read:any")
    jwt = provider.machine("jwt", scope="read:jwt read:any", access_token_format="jwt")

    def given(client: Client, resource: str) -> str:
        form = {"grant_type": "client_credentials", "resource": resource}
        token = provider.http.post("/token", form, auth=client.auth).json()["access_token"]
        return "opaque" if token.startswith("idp_at_") else "jwt"

    assert [given(plain, API), given(plain, OTHER), given(jwt, OTHER)] == ["jwt", "opaque", "jwt"]


def code_for(provider: Provider, client: Client, *resources: str, scope: str) -> tuple[str, Pkce]:
    """A code of an authorization request that may name several resources."""
    pkce = Pkce()
    pairs = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": scope,
        **pkce.parameters,
    }
    query = [*pairs.items(), *(("resource", resource) for resource in resources)]
    page = provider.sign_in(provider.browser().get("/authorize", query))
    assert page.left, page.text
    return page.url.partition("code=")[2].partition("&")[0], pkce


@pytest.fixture
def portal(provider, ada) -> Client:
    """A client that may ask for scopes of two resource servers and one of its own."""
    provider.resource(API, read_api="Read")
    provider.resource(OTHER, read_other="Read")
    return provider.client("portal", scope="openid email offline_access read:api read:other own")


CASES = [  # explicit resources, scope asked for, then: audience and scope of the token
    ((), "openid", "issuer", "openid"),
    ((), "openid email own", "issuer", "openid email own"),
    ((), "own", "issuer", "own"),
    ((), "openid read:api", "issuer", "openid"),
    ((), "openid read:api read:other own", "issuer", "openid own"),
    ((), "read:api", API, "read:api"),
    ((), "read:api own", API, "read:api own"),
    ((API,), "openid read:api", API, "read:api"),
    ((API,), "openid email read:api own", API, "read:api own"),
    ((API, OTHER), "openid read:api read:other", "issuer", "openid"),
]


@pytest.mark.parametrize(("resources", "scope", "audience", "given"), CASES)
def test_audience_when_none_is_chosen(provider, portal, resources, scope, audience, given):
    """T5, RFC 8707 §2.2, RFC 9068 §3: one audience by the documented rule, and only scopes that fit it."""
    code, pkce = code_for(provider, portal, *resources, scope=scope)

    body = provider.exchange(portal, code, verifier=pkce.verifier).json()

    assert jose.claims(body["access_token"])["aud"] == (provider.issuer if audience == "issuer" else audience)
    assert set(body["scope"].split()) == set(given.split())
    assert jose.claims(body["access_token"])["scope"] == body["scope"]


def test_audience_must_be_chosen_among_several(provider, portal):
    """T5, RFC 8707 §2.2: several resources, no openid, none chosen: invalid_target; the code stays good."""
    code, pkce = code_for(provider, portal, scope="read:api read:other")

    answer = provider.exchange(portal, code, verifier=pkce.verifier)

    assert outcome(answer) == (400, "invalid_target")
    again = provider.exchange(portal, code, verifier=pkce.verifier, resource=OTHER)
    assert again.status == HTTPStatus.OK
    assert jose.claims(again.json()["access_token"])["aud"] == OTHER


@pytest.mark.parametrize(
    ("resource", "given"), [(API, "read:api own"), (OTHER, "read:other own"), ("issuer", "openid email own")]
)
def test_audience_is_chosen_at_the_token_endpoint(provider, portal, resource, given):
    """RFC 8707 §2.2: each token request may choose one granted resource; the issuer means userinfo."""
    chosen = provider.issuer if resource == "issuer" else resource
    code, pkce = code_for(provider, portal, scope="openid email read:api read:other own")

    body = provider.exchange(portal, code, verifier=pkce.verifier, resource=chosen).json()
    again = provider.refresh(portal, body["refresh_token"], resource=chosen).json()

    for answer in (body, again):
        assert jose.claims(answer["access_token"])["aud"] == chosen
        assert set(answer["scope"].split()) == set(given.split())


def test_each_refresh_may_choose_another_audience(provider, portal):
    """RFC 8707 §2.2: one grant, tokens for each of its resources in turn."""
    code, pkce = code_for(provider, portal, scope="openid read:api read:other")
    refresh_token = provider.exchange(portal, code, verifier=pkce.verifier).json()["refresh_token"]

    audiences = [
        jose.claims(provider.refresh(portal, refresh_token, resource=resource).json()["access_token"])["aud"]
        for resource in (API, OTHER, provider.issuer)
    ]

    assert audiences == [API, OTHER, provider.issuer]


def test_ungranted_resource_is_refused(provider, portal):
    """T10, RFC 8707 §2.2: registered is not granted."""
    code, pkce = code_for(provider, portal, scope="openid read:api")

    answer = provider.exchange(portal, code, verifier=pkce.verifier, resource=OTHER)

    assert outcome(answer) == (400, "invalid_target")


def test_token_request_names_one_resource(provider, portal):
    """T5: one token has one audience, so `resource` is not repeated here."""
    code, pkce = code_for(provider, portal, scope="openid read:api read:other")
    form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", portal.redirect_uri),
            ("code_verifier", pkce.verifier), ("resource", API), ("resource", OTHER)]  # fmt: skip

    answer = provider.http.post("/token", form, auth=portal.auth)

    assert answer.status == HTTPStatus.BAD_REQUEST
    assert provider.exchange(portal, code, verifier=pkce.verifier, resource=API).status == HTTPStatus.OK


def forgeries(provider: Provider, token: str) -> dict[str, str]:
    """Tokens an attacker could make from a good one, by the name of the trick."""
    head, content = jose.header(token), jose.claims(token)
    public = jose.published_key(provider, head["kid"])
    mine = generate_private_key(SECP256R1())
    x, y = (getattr(mine.public_key().public_numbers(), name).to_bytes(32) for name in "xy")
    mine_public = {"kty": "EC", "crv": "P-256", "x": jose.encode(x), "y": jose.encode(y)}
    stolen = jose.our_private_key(provider, head["kid"])
    pem = jwk.import_key(public).as_pem(private=False)
    body = token.split(".")[1]
    tampered = jose.encode({**content, "scope": "openid email phone"})

    def ours(typ: str | None = "at+jwt", **changes: Any) -> str:
        return jose.signed_by_us(provider, {**content, **changes}, typ=typ)

    return {
        "none": jose.assemble({**head, "alg": "none"}, content),
        "None": jose.assemble({**head, "alg": "None"}, content),
        "no signature": ".".join(token.split(".")[:2]) + ".",
        "two parts": ".".join(token.split(".")[:2]),
        "four parts": token + ".x",
        "tampered": token.replace(body, tampered),
        "hs256 with the PEM": jose.hs256(head, content, pem),
        "hs256 with the JWK": jose.hs256(head, content, jose.encode(public).encode()),
        "hs256 with x": jose.hs256(head, content, jose.decode(public["x"])),
        "hs256, no key": jose.hs256(head, content, b""),
        "own key, our kid": jose.with_header(token, mine),
        "own key, unknown kid": jose.with_header(token, mine, kid="mine"),
        "own key, no kid": jose.with_header(token, mine, kid=None),
        "own key in jwk": jose.with_header(token, mine, jwk=mine_public),
        "own key by jku": jose.with_header(token, mine, jku="https://evil.example/jwks"),
        "own key by x5u": jose.with_header(token, mine, x5u="https://evil.example/x"),
        "kid path": jose.with_header(token, mine, kid="../../../dev/null"),
        "kid sql": jose.with_header(token, mine, kid="' OR 1=1 --"),
        "kid no text": jose.assemble({**head, "kid": {"a": 1}}, content, b"x" * 64),
        "kid list": jose.assemble({**head, "kid": [head["kid"]]}, content, b"x" * 64),
        "alg of another key": jose.assemble({**head, "alg": "RS256"}, content, b"x" * 64),
        "alg no text": jose.assemble({**head, "alg": ["ES256"]}, content, b"x" * 64),
        "crit": jose.with_header(token, stolen, crit=["exp"], exp=1),
        "unknown crit": jose.with_header(
            token, stolen, crit=["http://x.example/y"], **{"http://x.example/y": 1}
        ),
        "empty crit": jose.with_header(token, stolen, crit=[]),
        "b64 false": jose.with_header(token, stolen, b64=False, crit=["b64"]),
        "our key, alg none": jose.with_header(token, stolen, alg="none"),
        "our key, alg HS256": jose.with_header(token, stolen, alg="HS256"),
        "our key, no alg": jose.with_header(token, stolen, alg=None),
        "our key, no kid": jose.with_header(token, stolen, kid=None),
        "our key, typ at+jwt; x": jose.with_header(token, stolen, typ="at+jwt; x"),
        "typ JWT": ours("JWT"),
        "no typ": ours(None),
        "typ logout+jwt": ours("logout+jwt"),
        "typ no text": jose.assemble({**head, "typ": 1}, content, b"x" * 64),
        "other issuer": ours(iss="https://evil.example"),
        "issuer and slash": ours(iss=provider.issuer + "/"),
        "issuer list": ours(iss=[provider.issuer]),
        "expired": ours(exp=int(provider.clock.now().timestamp())),
        "no exp": jose.signed_by_us(provider, {n: v for n, v in content.items() if n != "exp"}, typ="at+jwt"),
        "exp text": ours(exp="9999999999"),
        "exp true": ours(exp=True),
        "exp huge": jose.signed(head, {**content, "exp": 10**30}, stolen),
        "exp far": ours(exp=2**62),
        "exp float": ours(exp=1e300),
        "exp negative": ours(exp=-(2**62)),
        "exp NaN": jose.signed(head, {**content, "exp": float("nan")}, stolen),
        "claims list": jose.signed(head, b"[]", stolen),
        "claims not UTF-8": jose.signed(head, b'{"sub":"\xff"}', stolen),
        "claims deep": jose.signed(head, b"[" * 3000, stolen),
        "lone surrogate": jose.signed(head, b'{"sub":"\\ud800"}', stolen),
        "iat in the future": ours(iat=content["iat"] + 3600, exp=content["exp"] + 3600),
        "aud list": ours(aud=[provider.issuer, "https://evil.example"]),
        "sub of another": ours(sub="acc_somebody"),
        "sub no text": ours(sub={"a": 1}),
        "unknown family": ours(fam="A" * 22),
        "broken family": ours(fam="../x"),
        "family no text": ours(fam=1),
        "unknown client": ours(client_id="nobody"),
        "scope list": ours(scope=["openid"]),
        "jti no text": ours(jti=5),
        "claims no object": f"{jose.encode(head)}.{jose.encode(b'[]')}.{jose.encode(b'x' * 64)}",
        "header no object": f"{jose.encode(b'[]')}.{body}.{jose.encode(b'x' * 64)}",
        "header no JSON": f"{jose.encode(b'{')}.{body}.{jose.encode(b'x' * 64)}",
        "header not UTF-8": f"{jose.encode(bytes([255, 254]))}.{body}.{jose.encode(b'x' * 64)}",
        "deep header": f"{jose.encode(b'[' * 3000)}.{body}.{jose.encode(b'x' * 64)}",
        "padded": token + "=",
        "spaces": token.replace(".", ". "),
        "JWS JSON": '{"payload":"' + body + '","signatures":[]}',
        "JWE": jose.encode({"alg": "dir", "enc": "A256GCM"}) + "....",
        "oversize": ours(padding="x" * 9000),
        "oversize header": jose.assemble({**head, "x": "y" * 9000}, content, b"x" * 64),
        "nothing": ".",
        "dots": "..",
        "non-ASCII": token + "é",
    }


def test_forged_token_is_refused(provider, shop):
    """T1 to T6: no trick with header, key, type, time or size gets past userinfo or introspection."""
    token = provider.tokens(shop, scope="openid email")["access_token"]
    tricks = forgeries(provider, token)
    ours = jose.our_private_key(provider, jose.header(token)["kid"])
    assert provider.userinfo(jose.with_header(token, ours)).status == HTTPStatus.OK, (
        "the forger's hand is good"
    )
    assert provider.userinfo(token).status == HTTPStatus.OK

    told = {}
    for name, forged in tricks.items():
        seen, known = provider.userinfo(forged), provider.introspect(shop, forged)
        told[name] = (seen.status, known.status, known.json())

    refused = (HTTPStatus.UNAUTHORIZED, HTTPStatus.OK, {"active": False})
    too_long = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HTTPStatus.BAD_REQUEST)
    wrong = {
        name: answer
        for name, answer in told.items()
        if answer != refused and not ("oversize" in name and answer[:2] == too_long)
    }
    assert wrong == {}
    assert provider.userinfo(token).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "trick", ["changed", "cut", "extended", "other prefix", "bare", "empty", "sealed junk"]
)
def test_changed_opaque_token_is_refused(provider, ada, trick):
    """T1, T3: an opaque token is authenticated as a whole."""
    client = provider.client("rp", access_token_format="opaque")
    token = provider.tokens(client)["access_token"]
    forged = {
        "changed": token[:-3] + ("AAA" if not token.endswith("AAA") else "BBB"),
        "cut": token[:-4],
        "extended": token + "AAAA",
        "other prefix": token.replace("idp_at_", "idp_rt_"),
        "bare": token.removeprefix("idp_at_"),
        "empty": "idp_at_",
        "sealed junk": "idp_at_" + "A" * 400,
    }[trick]

    assert outcome(provider.userinfo(forged)) == (401, "invalid_token")
    assert provider.introspect(client, forged).json() == {"active": False}
    assert provider.userinfo(token).status == HTTPStatus.OK


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_id_token_is_no_access_token(provider, ada, alg):
    """T4, RFC 9068 §4: the ID token of the same answer is refused."""
    client = provider.client("rp", id_token_signed_response_alg=alg)
    tokens = provider.tokens(client)

    for name in ("id_token", "refresh_token"):
        assert outcome(provider.userinfo(tokens[name])) == (401, "invalid_token")


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_token_expires(provider, ada, access_token_format):
    """T6: valid until exp, not a second longer: it is our own clock."""
    client = provider.client("rp", access_token_format=access_token_format)
    token = provider.tokens(client)["access_token"]
    provider.advance(seconds=299)
    assert provider.userinfo(token).status == HTTPStatus.OK
    provider.advance(seconds=1)

    assert outcome(provider.userinfo(token)) == (401, "invalid_token")
    assert provider.introspect(client, token).json() == {"active": False}


@pytest.mark.parametrize(("ahead", "status"), [(10, 200), (61, 401)])
def test_token_from_the_future(provider, shop, ahead, status):
    """T6, FAPI 2.0 §5.3.2.1-13: iat up to 10 s ahead is another node's clock, more than 60 s is refused."""
    content = jose.claims(provider.tokens(shop)["access_token"])
    changed = {**content, "iat": content["iat"] + ahead, "exp": content["exp"] + ahead}

    assert provider.userinfo(jose.signed_by_us(provider, changed, typ="at+jwt")).status == status


def test_token_of_another_deployment(provider, shop):
    """T2, T5: a token of a provider with the same issuer but other keys is worth nothing here."""
    token = provider.tokens(shop)["access_token"]
    stranger = generate_private_key(SECP256R1())

    assert outcome(provider.userinfo(jose.with_header(token, stranger))) == (401, "invalid_token")
