"""What the demonstration registers: one account, two clients, one API."""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from idp.admin import Admin
from idp.errors import NotFound

_SCOPES = "openid profile email offline_access read:notes"
_CLAIMS = {"name": "Dana Demo", "given_name": "Dana", "family_name": "Demo", "zoneinfo": "UTC"}
_APPLICATION, _MACHINE = "notes", "nightly-job"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSecrets:
    """Made on the first run and kept in a file only its owner can read."""

    username: str
    password: str
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
    if path.exists():
        return DemoSecrets(**json.loads(path.read_text(encoding="utf-8")))
    made = DemoSecrets(
        username="dana",
        password="-".join(secrets.token_hex(2) for _ in range(4)),
        application_secret=secrets.token_urlsafe(32),
        machine_secret=secrets.token_urlsafe(32),
    )
    described = {name: getattr(made, name) for name in DemoSecrets.__dataclass_fields__}
    # Written under another name first: an interrupted run leaves no half of a file.
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(described, file, indent=2)
    unfinished.replace(path)
    return made


def register(admin: Admin, made: DemoSecrets, *, application: str, api: str) -> bool:
    """Create whatever is not there yet; a run that was interrupted is completed by the next one.

    Returns:
        whether anything had to be made.

    Args:
        admin: the administrative functions of the demonstration's own database.
        made: what the account and the clients prove themselves with.
        application: address of the relying party, without a slash at the end.
        api: address of the API, likewise.
    """
    missing = [
        create
        for get, name, create in (
            (admin.resources.get, api, partial(_create_api, admin, api)),
            (admin.accounts.get, made.username, partial(_create_account, admin, made)),
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
