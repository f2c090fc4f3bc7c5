"""What a command needs: settings, storage and the flows, without a web server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from idp.clock import SystemClock
from idp.container import Container, build
from idp.crypto import load_root_key
from idp.errors import Conflict
from idp.observability import configure_logging
from idp.settings import Settings, load_settings
from idp.storage import Database, Engine, create_engine, is_current, plain_session, repositories


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Container]:
    """A container for one command; closed at the end.

    Args:
        settings: the server's, which has set up logging already; default: read them, and keep
            the log of a short command to what somebody at a terminal wants to know.

    Raises:
        Conflict: the database has not been migrated.
        RootKeyError: the root key is missing though the database needs it, damaged or open to others.
    """
    if settings is None:
        settings = load_settings()
        configure_logging("WARNING", "text", sys.stderr)
    engine = create_engine(settings.database)
    try:
        if not is_current(engine):
            raise Conflict("the database has no schema of this release yet; run: idp migrate")
        _assert_root_key_is_kept(settings, engine)
        container = build(settings, engine=engine, session=plain_session(engine), clock=SystemClock())
        try:
            yield container
        finally:
            container.close()
    finally:
        engine.dispose()


def _assert_root_key_is_kept(settings: Settings, engine: Engine) -> None:
    """Let only the first use of a database make a root key.

    A second one would quietly lock everybody out: passwords, secrets and signing keys stand on the first.
    """
    database = Database(engine, plain_session(engine))
    with database.transaction(write=False):
        repos = repositories(database.session)
        # Commands that come before the first start use the root key for passwords and secrets alone.
        is_used = bool(
            repos.keys.list_()
            or repos.accounts.has_passwords()
            or repos.clients.has_secrets()
            or repos.providers.has_secrets()
        )
    load_root_key(settings.keys.dir, create=not is_used)


def read_secret_from_stdin(what: str) -> str:
    """One line from standard input, without its line break; asked for without echo on a terminal."""
    if sys.stdin.isatty():
        secret: str = click.prompt(what.capitalize(), hide_input=True, confirmation_prompt=True, err=True)
        return secret
    # Read bytes: what is not UTF-8 must reach the rules as what it is, and be refused there.
    line = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return line.removesuffix("\n").removesuffix("\r")
