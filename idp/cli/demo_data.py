"""What the demonstration registers: two accounts, two clients, one API."""

import base64
import hmac
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from idp.admin import Admin
from idp.container import Container
from idp.crypto import Secret
from idp.errors import NotFound

_SCOPES = "openid profile email offline_access read:notes"
_CLAIMS = {"name": "Dana Demo", "given_name": "Dana", "family_name": "Demo", "zoneinfo": "UTC"}
_APPLICATION, _MACHINE = "notes", "nightly-job"
_TOTP_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSecrets:
    """Made on the first run and kept in a file only its owner can read."""

    username: str
    password: str
    second_username: str
    """Somebody whose sign-in has two steps."""
    second_password: str
    totp_secret: str
    """Base 32, for an authenticator app."""
    application_secret: str
    machine_secret: str

    @property
    def application(self) -> Mapping[str, str]:
        """The environment in which the relying party knows itself."""
        return {"CLIENT_ID": _APPLICATION, "CLIENT_SECRET": self.application_secret}

    @property
    def machine(self) -> Mapping[str, str]:
        """The environment in which the machine client knows itself."""
        return {"CLIENT_ID": _MACHINE, "CLIENT_SECRET": self.machine_secret}


def read_or_make_secrets(path: Path) -> DemoSecrets:
    """The demonstration's secrets; the same ones on every run."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    described = {**_new_secrets(), **kept}
    if described != kept:
        _write(path, described)
    return DemoSecrets(**described)


def _new_secrets() -> dict[str, str]:
    return {
        "username": "dana",
        "password": _new_password(),
        "second_username": "tess",
        "second_password": _new_password(),
        "totp_secret": base64.b32encode(secrets.token_bytes(20)).decode("ascii"),
        "application_secret": secrets.token_urlsafe(32),
        "machine_secret": secrets.token_urlsafe(32),
    }


def _new_password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _write(path: Path, described: Mapping[str, str]) -> None:
    # Written under another name first: an interrupted run leaves no half of a file.
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(described, file, indent=2)
    unfinished.replace(path)


def register(container: Container, made: DemoSecrets, *, application: str, api: str) -> bool:
    """Create whatever is not there yet; a run that was interrupted is completed by the next one.

    Returns:
        whether anything had to be made.

    Args:
        container: the demonstration's own.
        made: what the accounts and the clients prove themselves with.
        application: address of the relying party, without a slash at the end.
        api: address of the API, likewise.
    """
    admin = container.admin
    missing = [
        create
        for get, name, create in (
            (admin.resources.get, api, partial(_create_api, admin, api)),
            (admin.accounts.get, made.username, partial(_create_account, admin, made)),
            (admin.accounts.get, made.second_username, partial(_create_second_account, container, made)),
            (admin.clients.get, _APPLICATION, partial(_create_application, admin, made, application)),
            (admin.clients.get, _MACHINE, partial(_create_machine, admin, made)),
        )
        if not _exists(get, name)
    ]
    for create in missing:
        create()
    return bool(missing)


def _create_api(admin: Admin, api: str) -> None:
    admin.resources.create(
        identifier=api, name="Notes API", scopes={"read:notes": "Read your notes"}, access_token_format=None
    )


def _create_account(admin: Admin, made: DemoSecrets) -> None:
    admin.accounts.create(
        username=made.username,
        email=f"{made.username}@example.com",
        email_verified=True,
        claims=_CLAIMS,
        password=made.password,
    )


def _create_second_account(container: Container, made: DemoSecrets) -> None:
    account = container.admin.accounts.create(
        username=made.second_username,
        email=f"{made.second_username}@example.com",
        email_verified=True,
        claims={"name": "Tess Twostep", "given_name": "Tess", "family_name": "Twostep"},
        password=made.second_password,
    )
    now = container.clock.now()
    # The step before the present one, because the one that is shown at enrolment is used up.
    code = _totp(made.totp_secret, int(now.timestamp()) // _TOTP_SECONDS - 1)
    with container.database.transaction():
        container.totp.enrol(account["id"], Secret(made.totp_secret), code, now)


def _totp(secret: str, step: int) -> str:
    """What an authenticator app shows. Source: RFC 6238 §4.2, RFC 4226 §5.3."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def _create_application(admin: Admin, made: DemoSecrets, address: str) -> None:
    admin.clients.create(
        client_id=_APPLICATION,
        metadata={
            "client_name": "Notes",
            "token_endpoint_auth_method": "client_secret_basic",
            "redirect_uris": [f"{address}/callback"],
            "post_logout_redirect_uris": [f"{address}/"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": _SCOPES,
        },
        secret=made.application_secret,
    )


def _create_machine(admin: Admin, made: DemoSecrets) -> None:
    admin.clients.create(
        client_id=_MACHINE,
        metadata={
            "client_name": "Nightly job",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["client_credentials"],
            "scope": "read:notes",
        },
        secret=made.machine_secret,
    )


def _exists(get: Callable[[str], object], name: str) -> bool:
    try:
        get(name)
    except NotFound:
        return False
    return True
