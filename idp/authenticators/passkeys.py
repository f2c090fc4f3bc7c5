"""Passkeys: WebAuthn credentials of accounts, from the first challenge to the last use."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Final

from idp.authenticators.aaguids import Kind, make_of
from idp.authenticators.challenges import Ceremony, Challenges
from idp.authenticators.passkey import Passkey, PasskeyUse, UnknownPasskey
from idp.authenticators.relying_party import can_have_passkeys
from idp.authenticators.webauthn_json import (
    ASSERTION_PARTS,
    REGISTRATION_PARTS,
    CeremonyAnswer,
    read_answer,
)
from idp.authenticators.webauthn_values import Asserted, Attested, RelyingParty
from idp.crypto import b64url_encode
from idp.errors import Conflict, Invalid, NotFound, Refused
from idp.ids import new_id
from idp.storage import PasskeyRow, Repositories

MOST_PASSKEYS: Final = 50
"""Of one account; keeps lists and the options of a ceremony short (row X3)."""

LONGEST_NAME: Final = 60

_CEREMONIES: Final = "idp.authenticators.webauthn_ceremonies"
"""By name: with py_webauthn it takes 6 MB, which commands can spare; `idp serve` loads it for all workers."""

_ALGORITHMS: Final = (-8, -7, -257)
"""EdDSA, ES256, RS256; the best first. Source: IANA registry of COSE algorithms."""


class Passkeys:
    """Registers, checks, names and removes passkeys; the caller holds the transaction.

    Claiming the challenge comes first (row M9), so a caller that commits a refusal has used it up; one
    that rolls back has not.

    Args:
        repos: repositories on the caller's session.
        party: who we are to authenticators.
        timeout: how long a challenge lives, and how long browsers wait for the person.
    """

    def __init__(self, repos: Repositories, party: RelyingParty, *, timeout: timedelta) -> None:
        self._rows = repos.passkeys
        self._challenges = Challenges(repos, lifetime=timeout)
        self._timeout = timeout
        self.party = party
        self.available = can_have_passkeys(party)
        """Whether browsers do WebAuthn at the issuer's address."""

    def prepare(self) -> None:
        """Load what verifies, so that it does not happen inside a transaction."""
        _ceremonies()

    def creation_options(
        self,
        *,
        account_id: str,
        name: str,
        display_name: str,
        binding: str,
        here: bool = False,
        automatic: bool = False,
        now: datetime,
    ) -> dict[str, Any]:
        """Options for ``navigator.credentials.create`` (WebAuthn Level 3 §5.1.9), with a new challenge.

        Args:
            account_id: whose the passkey will be, and its user handle. A sign-up makes it up beforehand.
            name: what password managers list it under; a username or an address.
            display_name: the person's name.
            binding: who alone may answer, for example the id of a session.
            here: whether a passkey of this device is meant rather than a security key.
            automatic: whether the browser may make it by itself after a sign-in with a password, without
                asking the person; the answer is then judged by that.
            now: aware UTC time.
        """
        attested = self.party.attestation_required
        hints = ["security-key"] if attested else ["client-device"] if here else []
        return {
            "rp": {"id": self.party.rp_id, "name": self.party.name},
            "user": {"id": _user_handle(account_id), "name": name, "displayName": display_name},
            "challenge": self._challenges.issue(
                Ceremony.REGISTRATION,
                binding=binding,
                account_id=account_id,
                payload={"automatic": automatic},
                now=now,
            ),
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in _ALGORITHMS],
            "timeout": self._milliseconds,
            "excludeCredentials": self._descriptors(account_id),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "preferred" if automatic else "required",
            },
            "hints": hints,
            "attestation": "direct" if attested or self.party.allowed_aaguids else "none",
            "extensions": {"credProps": True},
        }

    def register(self, credential: str, *, account_id: str, binding: str, now: datetime) -> Passkey:
        """Add a passkey to an account.

        Args:
            credential: JSON of what ``navigator.credentials.create`` gave, as received.
            account_id: whose it becomes; the challenge must have been made for it.
            binding: as in the options.
            now: aware UTC time.

        Raises:
            Invalid: malformed.
            Refused: the challenge is used, expired or another's; or the answer does not prove what it must.
            Conflict: the credential is registered, to whomever (row M12).

        Source: WebAuthn Level 3 §7.1.
        """
        answer = read_answer(credential, REGISTRATION_PARTS)
        kept = self._challenges.claim(
            Ceremony.REGISTRATION, answer.challenge, binding=binding, account_id=account_id, now=now
        )
        made: Attested = _ceremonies().verify_registration(
            answer, self.party, challenge=answer.challenge, automatic=kept.get("automatic") is True
        )
        if self._rows.find_by_credential(made.credential_id) is not None:
            raise Conflict("This passkey is registered already.", detail="credential id taken")
        if len(self._rows.list_(account_id)) >= MOST_PASSKEYS:
            raise Refused("You have as many passkeys as we can keep. Please remove one first.")
        make = make_of(made.aaguid)
        row = PasskeyRow(
            id=new_id("pk", now),
            account_id=account_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            aaguid=made.aaguid,
            transports=list(answer.transports),
            name="" if make is None else make.name,
            backup_eligible=made.backup_eligible,
            backed_up=made.backed_up,
            user_verified=made.user_verified,
            attestation=made.attestation,
            created_at=now,
        )
        self._rows.add(row)
        return _passkey(row)

    def request_options(
        self, *, binding: str, account_id: str | None = None, now: datetime
    ) -> dict[str, Any]:
        """Options for ``navigator.credentials.get`` as JSON (WebAuthn Level 3 §5.1.10), with a new challenge.

        Args:
            binding: who alone may answer, for example a browser or a sign-in on its way.
            account_id: who has proved already who they are with something else; then their passkeys are
                named, and a key that only notices presence will do. Without it, nothing in here depends on
                anybody (row L6).
            now: aware UTC time.
        """
        return {
            "challenge": self._challenges.issue(
                Ceremony.SIGN_IN, binding=binding, account_id=account_id, now=now
            ),
            "timeout": self._milliseconds,
            "rpId": self.party.rp_id,
            "allowCredentials": [] if account_id is None else self._descriptors(account_id),
            "userVerification": "required" if account_id is None else "preferred",
        }

    def use(
        self, credential: str, *, binding: str, account_id: str | None = None, now: datetime
    ) -> PasskeyUse:
        """Check a use of a passkey. Whose it is, the credential alone says (row M11).

        Args:
            credential: JSON of what ``navigator.credentials.get`` gave, as received.
            binding: as in the options.
            account_id: as in the options. Without it the authenticator must have verified the person and must
                name the account itself.
            now: aware UTC time.

        Raises:
            Invalid: malformed.
            UnknownPasskey: nobody has this credential.
            Refused: the challenge is used, expired or another's; or the answer does not prove what it must.

        Source: WebAuthn Level 3 §7.2.
        """
        answer = read_answer(credential, ASSERTION_PARTS)
        self._challenges.claim(
            Ceremony.SIGN_IN, answer.challenge, binding=binding, account_id=account_id, now=now
        )
        row = self._rows.find_by_credential(answer.credential_id)
        if row is None:
            raise UnknownPasskey(b64url_encode(answer.credential_id))
        _assert_owner(row, answer, account_id)
        said: Asserted = _ceremonies().verify_assertion(
            answer,
            self.party,
            challenge=answer.challenge,
            public_key=row.public_key,
            require_uv=account_id is None,
        )
        if said.backup_eligible != row.backup_eligible:
            raise _not_accepted("backup eligibility changed")
        behind = _is_behind(said.sign_count, row.sign_count)
        if behind and not row.backup_eligible:
            # Security: a key that cannot leave its device counts up; one that does not has a twin (row M10).
            raise _not_accepted("sign counter did not grow")
        if not self._rows.note_use(
            row.id,
            known_count=row.sign_count,
            sign_count=max(said.sign_count, row.sign_count),
            backed_up=said.backed_up,
            now=now,
        ):
            raise _not_accepted("used elsewhere at the same moment")
        return PasskeyUse(
            passkey=_passkey(row),
            user_verified=said.user_verified,
            is_first_verification=said.user_verified and not row.user_verified,
            counter_behind=behind,
        )

    def trust_verification(self, use: PasskeyUse) -> None:
        """From now on believe this passkey that it verifies its person."""
        self._rows.set_user_verified(use.passkey.id)

    def list_(self, account_id: str) -> list[Passkey]:
        """Those of an account, oldest first."""
        return [_passkey(row) for row in self._rows.list_(account_id)]

    def rename(self, account_id: str, passkey_id: str, name: str) -> None:
        """Give a passkey a name of the person's.

        Raises:
            Invalid: no name, too long, or with characters that cannot be seen.
            NotFound: the account has no such passkey.
        """
        name = name.strip()
        if not name:
            raise Invalid("Enter a name.", field="name")
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise Invalid("Use at most 60 ordinary characters.", field="name")
        if not self._rows.rename(account_id, passkey_id, name):
            raise _no_such_passkey()

    def remove(self, account_id: str, passkey_id: str) -> Passkey:
        """Remove a passkey; what it was.

        Raises:
            NotFound: the account has no such passkey.
        """
        for passkey in self.list_(account_id):
            if passkey.id == passkey_id and self._rows.delete(account_id, passkey_id):
                return passkey
        raise _no_such_passkey()

    def user_handle(self, account_id: str) -> str:
        """What authenticators know the account by; base64url. An opaque id, and no secret."""
        return _user_handle(account_id)

    @property
    def _milliseconds(self) -> int:
        return int(self._timeout.total_seconds() * 1000)

    def _descriptors(self, account_id: str) -> list[Mapping[str, Any]]:
        return [
            {
                "type": "public-key",
                "id": passkey.credential_id,
                **({"transports": list(passkey.transports)} if passkey.transports else {}),
            }
            for passkey in self.list_(account_id)
        ]


def _ceremonies() -> Any:
    return import_module(_CEREMONIES)


def _assert_owner(row: PasskeyRow, answer: CeremonyAnswer, account_id: str | None) -> None:
    """The account of the credential, the one the authenticator names and the one proved are the same.

    Source: WebAuthn Level 3 §7.2 step 6.
    """
    if account_id is None and answer.user_handle is None:
        raise _not_accepted("no user handle")
    if answer.user_handle is not None and answer.user_handle != row.account_id.encode():
        raise _not_accepted("user handle of another account")
    if account_id is not None and row.account_id != account_id:
        raise _not_accepted("passkey of another account")


def _is_behind(said: int, known: int) -> bool:
    """Whether a counter did not grow; authenticators without one always say 0.

    Source: WebAuthn Level 3 §6.1.1.
    """
    return (said > 0 or known > 0) and said <= known


def _user_handle(account_id: str) -> str:
    return b64url_encode(account_id.encode())


def _passkey(row: PasskeyRow) -> Passkey:
    make = make_of(row.aaguid)
    return Passkey(
        id=row.id,
        account_id=row.account_id,
        credential_id=b64url_encode(row.credential_id),
        name=row.name,
        kind=Kind.UNKNOWN if make is None else make.kind,
        aaguid=row.aaguid,
        is_synced=row.backup_eligible,
        is_backed_up=row.backed_up,
        is_verifying=row.user_verified,
        transports=tuple(row.transports),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


def _not_accepted(detail: str) -> Refused:
    return Refused("Your passkey was not accepted. Please try again, or use another way.", detail=detail)


def _no_such_passkey() -> NotFound:
    return NotFound("You have no such passkey any more.")
