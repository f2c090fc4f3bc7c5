"""A second step that a person sets up while they are signed in is proved by setting it up."""

from datetime import datetime

from idp.audit import Source
from idp.login.assurance import Achieved, Factor, proofs_of
from idp.login.complete import Completion
from idp.login.session import SignedIn
from idp.sessions import BrowserSession
from idp.storage import Database


class AddedProof:
    """Raises a session by the proof that its person has just given on a page of their account.

    Without it they would be asked at once for the code they have just typed: what protects an account
    is changed by a session that has taken the second step (row M8).
    """

    def __init__(self, *, database: Database, completion: Completion) -> None:
        self._database = database
        self._completion = completion

    def count(
        self,
        session: BrowserSession,
        factor: Factor,
        *,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> SignedIn | None:
        """Renew the session with one proof more.

        Args:
            session: fresh, as setting up the factor asked for (row M7).
            factor: what was proved a moment ago, in this session.
            device_cookie: what the browser sent.
            source: where the browser is.
            now: aware UTC time.

        Returns:
            the session with its new cookie value (row S2); ``None`` if it stands on more than this
            adds to, such as a passkey.

        Raises:
            Conflict: the session has ended meanwhile.
        """
        standing = proofs_of(session)
        if not standing:
            return None
        kept = tuple(proof for proof in standing if proof.factor is not factor)
        with self._database.transaction():
            return self._completion.complete(
                account_id=session.account_id,
                achieved=(*kept, Achieved(factor, now)),
                attempt=None,
                present=session,
                only_renews=True,
                device_cookie=device_cookie,
                source=source,
                now=now,
            )
