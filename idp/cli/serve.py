"""``idp serve``: the production server."""

import gc
import os
import socket
from typing import Any

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from idp.cli.context import opened
from idp.cli.fiber_requests import can_install, install
from idp.cli.loading import load
from idp.crypto import RootKeyError
from idp.errors import Conflict, Invalid
from idp.keys import SigningKeyUnreadable
from idp.observability import configure_logging, get_logger
from idp.settings import Settings, load_settings
from idp.storage import create_engine, is_current

_log = get_logger(__name__)

_APPLICATION = "idp.app"
"""The module each worker runs. By name, as the server wants it: it lies above the commands."""

_CEREMONIES = "idp.authenticators.webauthn_ceremonies"
"""What a worker would load with the first passkey: with py_webauthn 6 MiB, of its own alone by then."""

_MIGRATIONS = "idp.storage.migrations"
"""By name, because a start that migrates nothing needs none of Alembic."""

_NOBODY_REGISTERS = (
    "registration.enabled is on, but nobody can register: no message can be sent to what"
    " registration.identifiers names; set mail.transport or sms.transport"
)

_NO_FIBERS = "this release of granian is not one we know: token requests wait in threads, which costs speed"

_MAX_HEADER = 65_536
"""Bytes of request line and headers together; larger ones end with 431 (row X3)."""


@click.command()
@click.option(
    "--bind", metavar="HOST:PORT", help="Where to listen; default from the settings (127.0.0.1:8000)."
)
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Worker processes; default from the settings (1)."
)
def serve(*, bind: str | None, workers: int | None) -> None:
    """Start the server; SIGTERM lets running requests finish, then ends it."""
    settings = load_settings()
    configure_logging(settings.log.level, settings.log.format)
    host, port = _listening_address(*_address(bind or settings.server.bind))
    prepare(settings)
    count = workers or settings.server.workers
    _log.info(
        "server.starting",
        extra={
            "fields": {
                "issuer": settings.issuer,
                "bind": f"{host}:{port}",
                "workers": count,
                "pid": os.getpid(),
            }
        },
    )
    if settings.registration.enabled and not settings.registration_by:
        _log.warning("registration.unreachable", extra={"fields": {"detail": _NOBODY_REGISTERS}})
    # What is loaded and built before the workers are forked lies in memory once.
    load(_CEREMONIES)
    load(_APPLICATION).build_ahead(settings)
    gc.collect()
    server = make_server(settings, host=host, port=port, workers=count)
    if can_install():
        install(settings.server.blocking_threads)
    else:
        _log.warning("server.without_fibers", extra={"fields": {"detail": _NO_FIBERS}})
    gc.freeze()  # a collection writes to all it looks at, which would end the sharing
    server.serve()


def make_server(settings: Settings, *, host: str, port: int, workers: int) -> AbstractServer[Any]:
    """The production server, not yet started. The tests take their server's settings from it."""
    return Granian(
        f"{_APPLICATION}:serve_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.server.blocking_threads,
        http1_settings=HTTP1Settings(max_buffer_size=_MAX_HEADER),
        http=HTTPModes.http1,  # HTTP/2 is the business of the proxy that ends TLS
        websockets=False,
        log_level=LogLevels.error,  # it warns of more threads than twice the cores; ours wait for a database
        log_dictconfig=_server_logging(settings.log.level),
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=max(1, int(settings.server.drain_timeout.total_seconds())),
    )


def prepare(settings: Settings) -> None:
    """Make ready what all workers share, once, before the first of them starts.

    Raises:
        Conflict: the schema is missing or of another release and may not be changed here.
        RootKeyError: the root key is missing, damaged, open to others, or that of another database.
    """
    engine = create_engine(settings.database)
    try:
        current = is_current(engine)
    finally:
        engine.dispose()
    if not current:
        if not settings.database.migrates_itself:
            raise Conflict("the database schema is not the one of this release; run: idp migrate")
        load(_MIGRATIONS).upgrade(settings.database)
    with opened(settings) as container:
        container.admin.keys.ensure()
        try:
            with container.database.transaction(write=False):
                container.keystore.assert_readable()
        except SigningKeyUnreadable as error:
            raise RootKeyError(
                f"the root.key in {settings.keys.dir} is not the one of this database. {error.description}"
            ) from error


def _server_logging(level: str) -> dict[str, Any]:
    """The server's own messages go through our handlers, hence through redaction."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {},
        "loggers": {
            "_granian": {"handlers": [], "propagate": True},  # takes its level from `log_level`
            "_granian.serve": {"handlers": [], "level": level, "propagate": True},
            "granian.access": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


def _listening_address(host: str, port: int) -> tuple[str, int]:
    """The numeric address for a host name, after a try whether it can be listened on.

    Raises:
        Conflict: it cannot; most often another program does.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        socket.create_server((str(address[0]), port), family=family).close()
    except OSError as error:
        raise Conflict(f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}") from error
    return str(address[0]), port


def _address(bind: str) -> tuple[str, int]:
    host, separator, port = bind.rpartition(":")
    if not separator or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004 - the largest port
        raise Invalid("write it as HOST:PORT, for example 127.0.0.1:8000", field="--bind")
    return host.strip("[]") or "127.0.0.1", int(port)
