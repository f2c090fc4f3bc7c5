"""What an account has to prove itself with, as the policy reads it."""

from collections.abc import Iterable

from idp.login.assurance import FEDERATED, Achieved, Factor
from idp.login.policy import Enrolled
from idp.storage import Enrolment, Repositories


class Enrolments:
    """Reads what accounts have set up. In the caller's transaction."""

    def __init__(self, repos: Repositories) -> None:
        self._repos = repos.enrolments

    def of(self, account_id: str) -> Enrolled:
        """What this account has; nothing for one that does not exist. One statement."""
        return enrolled(self._repos.of(account_id))

    def after(self, account_id: str, proofs: Iterable[Achieved]) -> Enrolled | None:
        """The same, for somebody who goes on from these proofs; ``None`` if those count no more."""
        found = self._repos.of(account_id)
        return enrolled(found) if still_count(found, proofs) else None


def still_count(found: Enrolment, proofs: Iterable[Achieved]) -> bool:
    """Whether proofs from before are still worth something: what they were given with is still there.

    Security: who changes a stolen password ends the thief's sign-in that waits for a code; likewise who
    unlinks a stolen account elsewhere, and an operator who switches that provider off.
    """
    return all(_still_counts(found, proof) for proof in proofs)


def _still_counts(found: Enrolment, proof: Achieved) -> bool:
    if proof.factor is Factor.PASSWORD:
        return found.password_set_at is not None and found.password_set_at <= proof.at
    return proof.factor not in FEDERATED or found.identities > 0


def enrolled(found: Enrolment) -> Enrolled:
    """The same in the words of the policy."""
    return Enrolled(
        password=found.password,
        passkeys=found.passkeys,
        totp=bool(found.totp),
        recovery_codes=found.recovery_codes,
        sms=bool(found.sms),
        email=bool(found.email),
        identities=found.identities,
    )
