"""``idp provider``: from adding one to deleting it, and no secret in any output."""

import json
import logging

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from idp.crypto import RootKeyError
from idp.errors import Invalid, NotFound
from tests.publisher import publishing

SECRET = "swordfish-canary"


@pytest.fixture
def publisher(environment):
    environment["IDP_HTTP_ALLOWED_PRIVATE_HOSTS"] = "localhost"
    with publishing() as made:
        yield made


@pytest.fixture
def create(idp, publisher):
    def run(provider_id="elsewhere", *options):
        return idp(
            "provider", "create", "--id", provider_id, "--preset", "oidc", "--issuer", publisher.issuer,
            "--client-id", "idp", "--name", "Elsewhere", "--client-secret-stdin", *options,
            text=SECRET + "\n",
        )  # fmt: skip

    return run


def test_a_provider_from_creation_to_deletion(idp, create, publisher):
    made = create()

    assert made["redirect_uri"].endswith("/federation/elsewhere/callback")
    assert made["warnings"] == []
    assert [provider["id"] for provider in idp("provider", "list")] == ["elsewhere"]
    assert idp("provider", "check", "elsewhere")["ok"] is True
    assert idp("provider", "disable", "elsewhere")["enabled"] is False
    assert idp("provider", "enable", "elsewhere")["enabled"] is True
    assert idp("provider", "show", "elsewhere")["linked_identities"] == 0
    assert idp("provider", "delete", "elsewhere") == {
        "id": "elsewhere", "deleted": True, "removed_identities": 0,
    }  # fmt: skip
    with pytest.raises(NotFound):
        idp("provider", "show", "elsewhere")


def test_every_option_reaches_its_member(create):
    made = create(
        "work", "--scope", "openid", "email", "--trusted-email-domain", "example.org",
        "--home-domain", "example.org", "--home-domain", "example.net", "--creates", "ask",
        "--required-claim", "email", "name", "--profile-sync", "always", "--trust-assurance",
        "--acr-map", "https://x.example/?a=b=urn:idp:loa:2", "--store-tokens",
        "--hidden", "--claim", "name=profile.name", "--auth-method", "client_secret_post",
    )  # fmt: skip

    assert made["scopes"] == ["openid", "email"]
    assert (made["trusted_email_domains"], made["home_domains"]) == (
        ["example.org"],
        ["example.org", "example.net"],
    )
    assert (made["creates"], made["required_claims"], made["profile_sync"]) == (
        "ask",
        ["email", "name"],
        "always",
    )
    assert made["acr_map"] == {"https://x.example/?a=b": "urn:idp:loa:2"}
    assert (made["trust_assurance"], made["stores_tokens"], made["hidden"]) == (True, True, True)
    assert made["claims"] == {"name": "profile.name"}
    assert made["auth_method"] == "client_secret_post"


def test_a_file_says_more_and_options_win(create, tmp_path):
    config = tmp_path / "provider.json"
    config.write_text(json.dumps({"name": "From the file", "position": 7, "group_claim": "roles"}))

    made = create("elsewhere", "--config", str(config))

    assert (made["name"], made["position"], made["group_claim"]) == ("Elsewhere", 7, "roles")


def test_a_provider_is_changed(idp, create, tmp_path):
    create("elsewhere", "--hidden")
    config = tmp_path / "provider.json"
    config.write_text('{"hidden": null}')

    changed = idp("provider", "update", "elsewhere", "--config", str(config), "--name", "There")
    secret = idp("provider", "update", "elsewhere", "--client-secret-stdin", text="another")

    assert changed["changed"] == ["name", "hidden"]
    assert (changed["name"], changed["hidden"]) == ("There", False)
    assert secret["changed"] == ["secret"]


def test_apple_and_private_keys_are_read_from_a_file(idp, publisher, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    path = tmp_path / "key.p8"
    path.write_bytes(key)

    made = idp(
        "provider", "create", "--id", "work", "--preset", "oidc", "--issuer", publisher.issuer, "--name", "W",
        "--client-id", "x", "--private-key-file", str(path), "--key-id", "K1",
    )  # fmt: skip

    assert (made["auth_method"], made["secret"], made["key_id"]) == ("private_key_jwt", "private key", "K1")
    with pytest.raises(Invalid) as refused:
        idp("provider", "update", "work", "--private-key-file", str(path), "--client-secret-stdin", text="x")
    assert refused.value.field == "--private-key-file"


def test_a_check_that_fails_says_so_by_its_exit_code(create, invoke, publisher):
    """A script notices."""
    create()
    publisher.documents.clear()

    result = invoke("provider", "check", "elsewhere")

    assert isinstance(result.exception, NotFound)
    assert json.loads(result.stdout)["ok"] is False


def test_a_provider_that_is_down_is_added_with_a_warning_beside_the_json(idp, invoke, publisher):
    publisher.documents.clear()

    result = invoke(
        "provider", "create", "--id", "e", "--preset", "oidc", "--issuer", publisher.issuer,
        "--client-id", "i", "--name", "E", "--client-secret-stdin", text=SECRET,
    )  # fmt: skip

    assert result.exit_code == 0
    assert "status 404" in json.loads(result.stdout)["warnings"][0]
    assert result.stderr.startswith("warning: ")
    assert [provider["id"] for provider in idp("provider", "list")] == ["e"]


def test_a_preview_shows_what_a_mapping_makes_of_claims(idp, create, tmp_path):
    create("elsewhere", "--claim", "given_name=first")
    claims = tmp_path / "claims.json"
    claims.write_text('{"sub": "42", "first": "Ada"}')

    found = idp("provider", "preview", "elsewhere", "--claims", str(claims))

    assert (found["subject"], found["claims"], found["refused"]) == ("42", {"given_name": "Ada"}, None)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--acr-map", "gold"), "--acr-map"),
        (("--claim", "=x"), "--claim"),
        (("--home-domain", "nowhere"), "home_domains"),
        (("--claim", "sub=email"), "claims"),
    ],
)
def test_a_mistake_is_named(create, options, field):
    with pytest.raises(Invalid) as refused:
        create("elsewhere", *options)

    assert refused.value.field == field


def test_no_secret_in_any_output(idp, invoke, create, caplog):
    """X10: neither on standard output, nor on standard error, nor in the log, nor in an error."""
    caplog.set_level(logging.DEBUG)
    create()
    outputs = [
        invoke(*arguments, text=SECRET)
        for arguments in (
            ("provider", "list"),
            ("provider", "show", "elsewhere"),
            ("provider", "check", "elsewhere"),
            ("provider", "update", "elsewhere", "--client-secret-stdin", "--name", "There"),
            ("provider", "update", "elsewhere", "--client-secret-stdin", "--issuer", "ftp://x"),
            ("provider", "update", "elsewhere", "--client-secret-stdin", "--auth-method", "private_key_jwt"),
            ("provider", "create", "--id", "elsewhere", "--preset", "google", "--client-id", "x",
             "--client-secret-stdin"),
            ("provider", "delete", "elsewhere"),
        )
    ]  # fmt: skip

    for result in outputs:
        assert "swordfish" not in result.output + repr(result.exception) + caplog.text


def test_a_lost_root_key_is_not_replaced_while_a_provider_has_a_secret(create, invoke, tmp_path):
    create()
    (tmp_path / "keys" / "root.key").unlink()

    result = invoke("provider", "list")

    assert isinstance(result.exception, RootKeyError)
