"""Sign-ins with passkeys: a device in software that has one for some people, and answers with it."""

import re
from collections.abc import Sequence
from typing import Final

from bench.subjects import Subject
from bench.wire import Answer, get, post
from idp.container import Container
from tests.passkey import Authenticator, as_text

_CSRF: Final = re.compile(rb'name="csrf_token" value="([^"]+)"')
_BINDING: Final = "bench"


def device_with_passkeys(
    container: Container, issuer: str, people: Sequence[tuple[str, str]]
) -> Authenticator:
    """A device that holds a passkey of each of these people, registered.

    Args:
        container: on the database of the server under measurement.
        issuer: of that server; its origin is where the passkeys work.
        people: account id and name.
    """
    passkeys, now = container.passkeys, container.clock.now()
    device = Authenticator(origin=issuer, rp_id=passkeys.party.rp_id)
    passkeys.prepare()
    with container.database.transaction():
        for account_id, name in people:
            options = passkeys.creation_options(
                account_id=account_id, name=name, display_name=name, binding=_BINDING, now=now
            )
            made = as_text(device.create(options))
            passkeys.register(made, account_id=account_id, binding=_BINDING, now=now)
    return device


def sign_ins(subject: Subject, device: Authenticator, count: int) -> list[bytes]:
    """So many requests to sign in, each with the answer to a challenge of its own, which it uses up."""
    page = subject.ask(get(subject.port, "/login"))
    form = {"csrf_token": _token_of(page)}
    sent = {
        "Cookie": f"idp_browser={page.cookies()['idp_browser']}",
        "Accept": "application/json",
        "Sec_Fetch_Site": "same-origin",
    }
    made = []
    for turn in range(count):
        options = subject.ask(post(subject.port, "/passkey/options", form, **sent)).json()
        credential = device.credentials[turn % len(device.credentials)]
        answer = as_text(device.get(options, credential=credential))
        filled_in = {**form, "credential": answer, "return_to": ""}
        made.append(post(subject.port, "/passkey/sign-in", filled_in, **sent))
    return made


def _token_of(page: Answer) -> str:
    found = _CSRF.search(page.body)
    if found is None:
        raise RuntimeError(f"no form in the sign-in page: {page.status} {page.body[:300]!r}")
    return found[1].decode()
