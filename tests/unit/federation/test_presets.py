"""Every preset against recorded shapes of its provider's documented answers; each file names the documents.

The files in `answers/` are written after public documentation, with invented people. They are served by a
stub on
loopback and fetched through the real egress: every `https://` in them and in the preset becomes the stub's
address.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.crypto import Secret, b64url_encode
from idp.errors import Invalid
from idp.federation import (
    Provider,
    ProviderKind,
    RelyingParty,
    UpstreamIdentity,
    UpstreamRefused,
    UpstreamWish,
    preset,
    preset_names,
    preset_options,
    validate_configuration,
)
from tests.unit.federation.stub import ACCESS_TOKEN, CLIENT_ID, Stub, key, public, sign

ANSWERS = {path.stem: path for path in sorted((Path(__file__).parent / "answers").glob("*.json"))}


class Recorded:
    """One recorded sign-in, at the stub instead of at the provider."""

    def __init__(self, name: str, stub: Stub, now: datetime) -> None:
        self.name = name
        self._stub = stub
        self._now = now
        second = int(now.timestamp())
        digest = hashlib.sha256(ACCESS_TOKEN.encode()).digest()
        self._values = {
            "$client_id": CLIENT_ID,
            "$access_token": ACCESS_TOKEN,
            "$iat": second,
            "$exp": second + 3600,
            "$auth_time": second - 60,
            "$at_hash": b64url_encode(digest[:16]),
        }
        self.content = self._here(json.loads(ANSWERS[name].read_text(encoding="utf-8")))
        self.provider = self._provider()

    def _here(self, value: Any) -> Any:
        """With the stub's address instead of https://, and with values instead of their names."""
        if isinstance(value, dict):
            return {name: self._here(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self._here, value))
        if isinstance(value, str) and value in self._values:
            return self._values[value]
        return value.replace("https://", f"{self._stub.address}/") if isinstance(value, str) else value

    def _provider(self) -> Provider:
        options = json.loads(ANSWERS[self.name].read_text(encoding="utf-8")).get("options", {})
        made = self._here(preset(self.content["preset"], **options))
        given = {"preset": self.content["preset"], "name": "Named", "client_id": CLIENT_ID}
        checked = validate_configuration(
            {**given, **made, **self.content.get("members", {})}, plain_hosts=("localhost",)
        )
        secret = (
            key("ES256", "ours").as_pem(private=True).decode()
            if made.get("auth_method") == "apple"
            else "secret"
        )
        members = {name: tuple(part) if isinstance(part, list) else part for name, part in checked.items()}
        return Provider(
            **{**members, "kind": ProviderKind(checked["kind"])},
            id=self.content["preset"],
            secret=Secret(secret),
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    def sign_in(self, relying_party: RelyingParty, wish: UpstreamWish | None = None) -> UpstreamIdentity:
        """The whole of it; what was asked is in `stub.asked` and `self.asked`."""
        content, published = self.content, self.content.get("discovery")
        if published:
            well_known = (
                self.provider.discovery_url or f"{published['issuer']}/.well-known/openid-configuration"
            )
            self._serve(well_known, published)
            self._serve(published["jwks_uri"], {"keys": [public(**content.get("key", {}))]})
        departure = relying_party.begin(self.provider, wish or UpstreamWish(), self._now)
        self.asked = dict(parse_qsl(urlsplit(departure.url).query))
        self._values["$nonce"] = departure.nonce.reveal()
        if published:
            self._values["$id_token"] = sign(self._here(content["id_token"]))
        at = content.get("endpoints") or {
            "token": published["token_endpoint"],
            "userinfo": published.get("userinfo_endpoint"),
        }
        for place, address in at.items():
            if place in content:
                self._serve(address, self._here(content[place]))
        answer = {"code": "a-code", "state": departure.state.reveal(), **content["callback"]}
        return relying_party.finish(self.provider, answer, departure.record(), self._now)

    def _serve(self, address: str, content: Any) -> None:
        self._stub.says(urlsplit(address).path, content)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recorded_sign_in(relying_party: RelyingParty, stub: Stub, now: datetime, name: str) -> None:
    recorded = Recorded(name, stub, now)
    expected = recorded.content["expected"]

    identity = recorded.sign_in(relying_party)

    assert (identity.issuer, identity.subject) == (expected["issuer"], expected["subject"])
    assert (identity.email, identity.email_verified) == (expected["email"], expected["email_verified"])
    assert dict(identity.claims) == expected["claims"]
    assert (identity.auth_time is not None) == expected.get("auth_time", False)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recording_names_its_documents(name: str) -> None:
    content = json.loads(ANSWERS[name].read_text(encoding="utf-8"))

    assert content["preset"] in preset_names()
    assert all(": " in source and "/" in source for source in content["sources"])
    assert content["sources"]


def test_every_preset_is_recorded() -> None:
    recorded = {json.loads(path.read_text(encoding="utf-8"))["preset"] for path in ANSWERS.values()}

    assert recorded == set(preset_names()) - {"oidc", "oauth2"}


def _asked(
    name: str, relying_party: RelyingParty, stub: Stub, now: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """The authorization request and the form of the token request."""
    recorded = Recorded(name, stub, now)
    recorded.sign_in(
        relying_party, UpstreamWish(prompt="select_account", login_hint="ada", acr_values=("2",))
    )
    (posted,) = [asked.form for asked in stub.asked if asked.method == "POST"]
    return recorded.asked, posted


def test_apple(relying_party: RelyingParty, stub: Stub, now: datetime) -> None:
    """Answers by form_post, knows no prompt, and gets a client secret that we sign."""
    asked, posted = _asked("apple-first-time", relying_party, stub, now)

    assert asked["response_mode"] == "form_post"
    assert asked["scope"] == "openid name email"
    assert not asked.keys() & {"prompt", "login_hint", "acr_values"}
    assert posted["client_secret"].count(".") == 2


@pytest.mark.parametrize(
    "user", ["", "null", "[]", "{", '{"name": "Ada"}', '{"name": {"firstName": 7}}', "x" * 5000]
)
def test_apples_name_is_not_needed(relying_party: RelyingParty, stub: Stub, now: datetime, user: str) -> None:
    """It comes once, unsigned, through the browser: the sign-in stands or falls by the ID token."""
    recorded = Recorded("apple-later", stub, now)
    recorded.content["callback"] = {"user": user}

    assert dict(recorded.sign_in(relying_party).claims) == {}


def test_apples_name_from_somebody_else(relying_party: RelyingParty, stub: Stub, now: datetime) -> None:
    """V8: only a name is taken from there; and nothing at all of a provider that does not do so."""
    forged = json.dumps(
        {"name": {"firstName": "Eve"}, "email": "eve@x.example", "email_verified": True, "sub": "eve"}
    )
    apple, google = Recorded("apple-later", stub, now), Recorded("google", stub, now)
    apple.content["callback"] = google.content["callback"] = {"user": forged}

    identity = apple.sign_in(relying_party)

    assert (identity.subject, identity.email) == (
        apple.content["expected"]["subject"],
        apple.content["expected"]["email"],
    )
    assert identity.claims["name"] == "Eve"
    assert google.sign_in(relying_party).claims["name"] == "J. Smith"


def test_entra_says_no_email_verified(relying_party: RelyingParty, stub: Stub, now: datetime) -> None:
    """V8: only `xms_edov` counts, and only as true; their `email_verified` would be somebody's invention."""
    recorded = Recorded("microsoft-common", stub, now)
    recorded.content["id_token"] |= {"email_verified": True, "xms_edov": "1"}

    assert recorded.sign_in(relying_party).email_verified is False


@pytest.mark.parametrize("name", ["linkedin", "slack"])
def test_who_is_not_sent_a_verifier(
    relying_party: RelyingParty, stub: Stub, now: datetime, name: str
) -> None:
    asked, posted = _asked(name, relying_party, stub, now)

    assert "code_challenge" not in asked
    assert "code_verifier" not in posted


@pytest.mark.parametrize("name", sorted(set(ANSWERS) - {"linkedin", "slack"}))
def test_everybody_else_is(relying_party: RelyingParty, stub: Stub, now: datetime, name: str) -> None:
    """RFC 9700 §2.1.1."""
    asked, posted = _asked(name, relying_party, stub, now)

    assert asked["code_challenge_method"] == "S256"
    assert "code_verifier" in posted


@pytest.mark.parametrize(
    ("name", "prompt", "hint"),
    [
        ("google", "select_account", "ada"),
        ("microsoft-common", "select_account", "ada"),
        ("github", "select_account", None),
        ("x", None, None),
        ("gitlab", None, None),
    ],
)
def test_what_can_be_asked_for(
    relying_party: RelyingParty, stub: Stub, now: datetime, name: str, prompt: str | None, hint: str | None
) -> None:
    asked, _ = _asked(name, relying_party, stub, now)

    assert (asked.get("prompt"), asked.get("login_hint")) == (prompt, hint)
    assert "acr_values" not in asked


def test_github_says_who_answers(relying_party: RelyingParty, stub: Stub, now: datetime) -> None:
    """V9, RFC 9207: `iss` is there now, and compared."""
    recorded = Recorded("github", stub, now)
    recorded.content["callback"] = {"iss": "https://gitlab.example"}

    with pytest.raises(UpstreamRefused) as caught:
        recorded.sign_in(relying_party)

    assert caught.value.detail == "answer_issuer_mismatch"


def test_a_self_hosted_one_stays_at_home(stub: Stub, now: datetime) -> None:
    """No address of the public service is left in it."""
    for name in ("github-enterprise-server", "gitlab-self-hosted"):
        provider = Recorded(name, stub, now).provider
        shown = repr(replace(provider, secret=None))
        assert "github.com" not in shown
        assert "gitlab.com" not in shown


@pytest.mark.parametrize(
    ("name", "options", "field"),
    [
        ("myspace", {}, "preset"),
        ("google", {"tenant": "x"}, "tenant"),
        ("google", {"issuer": "https://x.example"}, "issuer"),
        ("microsoft", {"tenant": "contoso.example"}, "tenant"),
        ("microsoft", {"tenant": "../common"}, "tenant"),
        ("github", {"issuer": "code.example"}, "issuer"),
        ("gitlab", {"issuer": "https://x.example/?a=b"}, "issuer"),
    ],
)
def test_options_that_cannot_be(name: str, options: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        preset(name, **options)

    assert caught.value.field == field


def test_options() -> None:
    assert preset_options("microsoft") == ("tenant",)
    assert preset_options("google") == ()
    assert preset("google", tenant=None)["issuer"] == "https://accounts.google.com"
    assert preset("microsoft", tenant="consumers")["issuer"].endswith(
        "/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
    )
    changed = preset("google")
    changed["scopes"].append("x")
    assert "x" not in preset("google")["scopes"]
