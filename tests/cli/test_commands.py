"""The command line as scripts use it: JSON on standard output, words and exit codes for the rest."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from idp.crypto import RootKeyError
from idp.errors import Conflict, Invalid, NotFound
from idp.storage.migrations import upgrade
from tests.provider import make_settings

Run = Callable[..., Any]


def create_account(
    idp: Run, username: str = "ada", *options: str, text: str | bytes = "correct horse battery\n"
) -> Any:
    return idp("account", "create", "--username", username, "--password-stdin", *options, text=text)


def create_client(idp: Run, client_id: str = "shop", *options: str, text: str = "") -> Any:
    return idp(
        "client", "create", "--client-id", client_id, "--name", "The Shop",
        "--auth-method", "client_secret_basic", "--redirect-uri", "https://shop.example/cb",
        "--grant-type", "authorization_code", "--scope", "openid", *options, text=text,
    )  # fmt: skip


def test_migrate_says_what_it_did(invoke):
    first = json.loads(invoke("migrate").stdout)
    second = json.loads(invoke("migrate").stdout)

    assert first["applied"]
    assert second == {"revision": first["revision"], "applied": []}


def test_a_command_on_a_database_without_schema_says_what_to_do(invoke):
    result = invoke("client", "list")

    assert isinstance(result.exception, Conflict)
    assert "idp migrate" in result.exception.description


def test_the_root_key_is_made_readable_by_its_owner_alone(idp, tmp_path):
    idp("client", "list")

    mode = stat.S_IMODE((tmp_path / "keys" / "root.key").stat().st_mode)
    assert mode == stat.S_IRUSR | stat.S_IWUSR


@pytest.mark.parametrize("kind", ["account", "client"])
def test_a_lost_root_key_is_not_replaced_before_the_first_start_either(idp, invoke, tmp_path, kind):
    """A new key would quietly invalidate passwords and secrets stored before `idp serve` first ran."""
    if kind == "account":
        create_account(idp, "ada")
    else:
        idp("client", "create", "--client-id", "m", "--name", "M", "--grant-type", "client_credentials")
    key = tmp_path / "keys" / "root.key"
    key.unlink()

    result = invoke("account", "list")

    assert isinstance(result.exception, RootKeyError)
    assert not key.exists()


def test_what_is_said_of_a_person_is_changed_claim_by_claim(idp, tmp_path):
    create_account(idp, "ada")
    file = tmp_path / "claims.json"
    file.write_text(json.dumps({"given_name": "Ada", "groups": ["staff", "pilots"]}), encoding="utf-8")
    idp("account", "update", "ada", "--claims", str(file))
    file.write_text(json.dumps({"given_name": None}), encoding="utf-8")

    changed = idp("account", "update", "ada", "--claims", str(file))

    assert "given_name" not in changed["claims"]
    assert changed["claims"]["groups"] == ["staff", "pilots"]


def test_an_account_from_creation_to_disabling(idp, tmp_path):
    claims = tmp_path / "claims.json"
    claims.write_text(
        json.dumps({"given_name": "Ada", "address": {"country": "UK"}, "phone_number_verified": True})
    )

    made = create_account(
        idp, "Ada", "--email", "Ada@Example.COM", "--email-verified", "--claims", str(claims)
    )

    assert made["username"] == "Ada"
    assert made["email_verified"] is True
    assert made["claims"] == {
        "given_name": "Ada",
        "address": {"country": "UK"},
        "phone_number_verified": True,
    }
    assert [account["id"] for account in idp("account", "list")] == [made["id"]]
    assert idp("account", "show", "ADA@example.com")["id"] == made["id"]
    assert idp("account", "show", "ada")["authenticators"]["password"] is True
    assert idp("account", "reset-second-factor", "ada", "--passkeys")["removed"] == []
    assert idp("account", "disable", "ada")["disabled"] is True
    assert idp("account", "enable", made["id"])["disabled"] is False
    assert (
        idp("account", "set-password", "ada", "--password-stdin", text="another long one\n")["id"]
        == made["id"]
    )


@pytest.mark.parametrize("password", ["short", "x" * 1025, b"\xff is not UTF-8", ""])
def test_passwords_that_cannot_be_are_refused(idp, password):
    """P4: a clear text before any hashing."""
    with pytest.raises(Invalid) as refused:
        create_account(idp, text=password)

    assert refused.value.field == "password"
    assert idp("account", "list") == []


def test_the_password_is_taken_as_it_is_but_for_the_line_break(idp):
    """P3: spaces at the ends belong to the password."""
    create_account(idp, text="  eight characters and spaces \r\n")


def test_a_name_that_is_taken_is_refused(idp):
    """V7: user names and addresses share one name space, whatever their spelling."""
    create_account(idp, "ada", "--email", "ada@example.com")

    for taken in ("ADA", "Ada@Example.com", "\uff41da"):
        with pytest.raises(Conflict):
            create_account(idp, taken)


def test_a_client_from_creation_to_deletion(idp):
    made = create_client(idp, "shop", "--first-party", "--access-token-format", "opaque", "--no-require-pkce")

    assert made["client_id"] == "shop"
    assert made["client_secret"].startswith("idp_cs_")
    shown = idp("client", "show", "shop")
    assert "client_secret" not in shown
    assert (shown["first_party"], shown["access_token_format"], shown["require_pkce"]) == (
        True,
        "opaque",
        False,
    )
    assert [client["client_id"] for client in idp("client", "list")] == ["shop"]
    rotated = idp("client", "rotate-secret", "shop")
    assert rotated["client_secret"] not in {None, made["client_secret"]}
    assert idp("client", "disable", "shop")["disabled"] is True
    assert idp("client", "enable", "shop")["disabled"] is False
    idp("client", "delete", "shop")
    with pytest.raises(NotFound):
        idp("client", "show", "shop")


def test_no_output_but_the_making_one_holds_a_secret(idp):
    """K12: secrets never in list or read responses."""
    secret = create_client(idp, "shop", "--secret-stdin", text="a secret of my own, long enough\n")

    assert "a secret of my own" not in json.dumps(secret)
    assert "a secret of my own" not in json.dumps([idp("client", "show", "shop"), idp("client", "list")])


def test_values_may_be_repeated_or_follow_in_a_row(idp):
    in_a_row = create_client(
        idp,
        "a",
        "--redirect-uri",
        "https://a.example/1",
        "https://a.example/2",
        "--grant-type",
        "refresh_token",
    )
    repeated = create_client(
        idp, "b", "--redirect-uri", "https://a.example/1", "--redirect-uri=https://a.example/2",
        "--grant-type",
        "refresh_token",
    )  # fmt: skip

    expected = ["https://shop.example/cb", "https://a.example/1", "https://a.example/2"]
    assert in_a_row["redirect_uris"] == repeated["redirect_uris"] == expected
    assert in_a_row["grant_types"] == ["authorization_code", "refresh_token"]


def test_a_metadata_file_adds_what_options_do_not_say(idp, tmp_path):
    metadata = tmp_path / "metadata.json"
    metadata.write_text(
        json.dumps({"access_token_lifetime": 60, "policy_uri": "https://shop.example/privacy"})
    )

    made = create_client(idp, "shop", "--metadata", str(metadata))

    assert (made["access_token_lifetime"], made["policy_uri"]) == (60, "https://shop.example/privacy")


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "http://shop.example/cb",
        "https://shop.example/cb#x",
        "https://*.example/cb",
        "//x",
    ],
)
def test_redirect_uris_that_endanger_people_are_refused(idp, uri):
    """R3: refused at registration."""
    with pytest.raises(Invalid) as refused:
        create_client(idp, "shop", "--redirect-uri", uri)

    assert refused.value.field == "redirect_uris"


def test_a_public_client_has_no_secret(idp):
    made = idp(
        "client", "create", "--client-id", "app", "--name", "App", "--auth-method", "none",
        "--redirect-uri", "http://127.0.0.1/cb", "--scope", "openid",
    )  # fmt: skip

    assert made.get("client_secret") is None
    assert made["application_type"] == "native"


def test_a_resource_server_from_creation_to_deletion(idp):
    made = idp(
        "resource", "create", "--identifier", "https://api.example", "--name", "The API",
        "--scope", "read:things=See your things", "write:things=Change = replace your things",
    )  # fmt: skip

    assert made["identifier"] == "https://api.example"
    assert made["scopes"] == {
        "read:things": "See your things",
        "write:things": "Change = replace your things",
    }
    assert len(idp("resource", "list")) == 1
    idp("resource", "delete", "https://api.example")
    assert idp("resource", "list") == []


def test_a_scope_without_its_sentence_is_refused(idp):
    with pytest.raises(Invalid):
        idp(
            "resource",
            "create",
            "--identifier",
            "https://api.example",
            "--name",
            "API",
            "--scope",
            "read:things",
        )


def test_keys_rotate_and_can_be_revoked(idp):
    idp("key", "rotate")
    before = {key["kid"] for key in idp("key", "list") if key["state"] == "active"}
    assert {key["alg"] for key in idp("key", "list") if key["state"] == "active"} == {
        "ES256",
        "RS256",
        "EdDSA",
    }

    idp("key", "rotate", "--alg", "ES256", "--now")
    after = {key["kid"] for key in idp("key", "list") if key["state"] == "active"}
    assert len(before - after) == 1

    revoked = after.pop()
    idp("key", "revoke", revoked)
    states = {key["kid"]: key["state"] for key in idp("key", "list")}
    assert states[revoked] == "revoked"
    assert list(states.values()).count("active") == 3


def test_check_config_hides_secrets(invoke, environment):
    environment["IDP_DATABASE_URL"] = "postgresql://idp:hunter2@db.example/idp"
    environment["IDP_REDIS_URL"] = "redis://:swordfish@redis.example/0"

    output = invoke("check-config").output

    assert "db.example" in output
    assert "hunter2" not in output
    assert "swordfish" not in output


def test_tune_hash_recommends_within_the_budget(invoke):
    found = json.loads(invoke("tune-hash", "--budget", "60").stdout)

    recommended = found["recommended"]
    assert recommended["IDP_PASSWORDS_ARGON2_MEMORY_KIB"] >= 19456
    assert recommended["IDP_PASSWORDS_ARGON2_PASSES"] >= 2
    assert found["measured"]


@pytest.mark.parametrize(
    ("change", "says", "code"),
    [
        ({"IDP_ISUER": "https://idp.example"}, "IDP_ISUER", 78),
        ({"IDP_ISSUER": "http://idp.example"}, "IDP_ISSUER", 78),
        ({"IDP_TOKENS_ACCESS_TOKEN_LIFETIME": "soon"}, "IDP_TOKENS_ACCESS_TOKEN_LIFETIME", 78),
        ({"IDP_PAGES_LOGO_FILE": "nowhere.svg"}, "IDP_PAGES_LOGO_FILE: is not a file", 78),
        ({"IDP_DATABASE_URL": "sqlite:////dev/null/idp.sqlite3"}, "idp: /dev/null", 1),
        ({"IDP_DATABASE_URL": "sqlite:///letter.txt"}, "file is not a database", 1),
    ],
)
def test_what_is_wrong_is_said_in_words_without_a_traceback(environment, tmp_path, change, says, code):
    """D7: unknown keys stop the start with the key's name."""
    (tmp_path / "letter.txt").write_text("Dear reader, this was never a database.\n")
    done = subprocess.run(
        [sys.executable, "-m", "idp", "account", "list"],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("IDP_")}, **environment, **change},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_key_readable_by_others_stops_every_command(environment, tmp_path):
    """D5: the start is refused, with the command that mends it."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "root.key").write_text("idp-root-key-1:" + "A" * 43)
    (keys / "root.key").chmod(0o644)
    upgrade(make_settings(tmp_path).database)

    done = subprocess.run(
        [sys.executable, "-m", "idp", "client", "list"],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("IDP_")}, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 78
    assert "chmod 600" in done.stderr


def test_other_providers_of_a_client(idp):
    """Which of them its people may use, and the one that they have to."""
    create_client(idp, "shop", "--identity-provider", "acme", "other")

    assert idp("client", "show", "shop")["identity_providers"] == ["acme", "other"]
    idp("client", "update", "shop", "--required-identity-provider", "acme")
    assert idp("client", "show", "shop")["required_identity_provider"] == "acme"


def test_a_registration_changes_member_by_member(idp, tmp_path):
    """RFC 7591 names and ours; what is not named stays, null gives the default again."""
    create_client(idp, "shop", "--acr-values", "urn:idp:loa:3", "urn:idp:loa:2")
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({"client_name": "Corner Shop", "default_acr_values": None}))

    changed = idp("client", "update", "shop", "--minimum-acr", "urn:idp:loa:2", "--metadata", str(metadata))
    shown = idp("client", "show", "shop")

    assert set(changed["changed"]) == {"client_name", "default_acr_values", "minimum_acr"}
    assert (shown["client_name"], shown["minimum_acr"]) == ("Corner Shop", "urn:idp:loa:2")
    assert shown["default_acr_values"] == []
    assert shown["redirect_uris"] == ["https://shop.example/cb"]


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint_auth_method": "none"},
        {"minimum_acr": "urn:idp:loa:9"},
        {"default_acr_values": "urn:idp:loa:2"},
        {"backchannel_logout_uri": "http://shop.example/out"},
        {"redirect_uris": []},
        {"unheard_of": 1},
    ],
)
def test_a_change_that_breaks_a_rule_changes_nothing(idp, tmp_path, changes):
    """RFC 7591 §2; K5: a secret is not taken away in passing."""
    create_client(idp, "shop")
    before = idp("client", "show", "shop")
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps(changes))

    with pytest.raises(Invalid):
        idp("client", "update", "shop", "--metadata", str(metadata))

    assert idp("client", "show", "shop") == before
