"""The application factory: settings, container, doors; nothing else."""

import atexit
import contextlib
import ctypes
import gc
import os
import signal
import threading
import time
from multiprocessing import parent_process, util

from flask import Flask, has_app_context
from flask_sqlalchemy import SQLAlchemy

from idp.clock import Clock, SystemClock
from idp.container import Container, build
from idp.errors import Unavailable
from idp.jobs import start_jobs
from idp.observability import configure_logging
from idp.settings import Settings, load_settings
from idp.storage import (
    SESSION_OPTIONS,
    Base,
    Session,
    SessionSource,
    configure_engine,
    engine_options,
    plain_session,
)
from idp.web import make_application, mount

_PARENT_SECONDS = 0.5
"""How often a worker looks whether its master lives."""

_built_ahead: list[Flask] = []
"""What :func:`build_ahead` made, at most one; a worker that was forked since has a copy of it."""

_M_ARENA_MAX = -8
"""Which option of ``mallopt(3)``: how many heaps the threads of this process share. Source: ``malloc.h``."""


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Flask:
    """Build the application. Nothing happens between its requests: no thread follows changes or runs jobs.

    Args:
        settings: default: from ``idp.toml``, the environment and secret files.
        clock: default: the system's clock; tests give a fixed one.

    Raises:
        SettingsError: the settings are wrong.
        RootKeyError: the root key is missing, damaged or open to others.
    """
    settings = settings or load_settings()
    app = make_application(settings)
    url, options = engine_options(settings.database)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    database = SQLAlchemy(metadata=Base.metadata, session_options=dict(SESSION_OPTIONS))
    database.init_app(app)
    with app.app_context():
        engine = database.engine
    configure_engine(engine)
    container = build(
        settings,
        engine=engine,
        session=_session_source(request_session=database.session, other_session=plain_session(engine)),
        clock=clock or SystemClock(),
    )
    app.extensions["idp"] = container
    mount(app, container)
    return app


def _session_source(*, request_session: SessionSource, other_session: SessionSource) -> SessionSource:
    """The session of the request, removed at its end; outside requests, that of the thread."""

    def current() -> Session:
        return request_session() if has_app_context() else other_session()

    return current


def build_ahead(settings: Settings) -> None:
    """Build the application of all workers before they are forked, so that they share the memory of it.

    No connection is open and no thread runs afterwards: neither outlives a fork.

    Raises:
        RootKeyError: the root key is missing, damaged or open to others.
    """
    app = create_app(settings)
    container: Container = app.extensions["idp"]
    container.read_ahead()
    _built_ahead[:] = [app]


def serve_app() -> Flask:
    """What the production server calls in each worker."""
    # What was loaded before the fork is shared with the master, as long as no collection writes to it.
    gc.freeze()
    _share_heaps()
    app = _built_ahead.pop() if _built_ahead else _built_here()
    container: Container = app.extensions["idp"]
    drain = container.settings.server.drain_timeout.total_seconds()
    threading.Thread(target=_end_with_the_parent, args=(drain,), name="idp-parent", daemon=True).start()
    _start(container)
    gc.collect()
    gc.freeze()  # all of this lives as long as the process: collections need not look at it again
    return app


def _built_here() -> Flask:
    """Under a server that builds nothing ahead, or starts its workers anew instead of forking them."""
    settings = load_settings()
    configure_logging(settings.log.level, settings.log.format)
    return create_app(settings)


def _share_heaps() -> None:
    """Two heaps for all threads; one for each buys nothing where one thread at a time runs Python.

    Each would keep what its thread ever needed: the 19 MiB of a password hash in one, and in
    another the next time. (Not also ``M_MMAP_THRESHOLD``, which would give those 19 MiB back after
    each hash: to be given fresh pages for every hash costs half of its time again.)
    """
    with contextlib.suppress(AttributeError):  # another C library, without this option
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _end_with_the_parent(drain: float) -> None:
    """A worker whose master was killed ends in order; else it would hold the port against the next start."""
    parent = parent_process()
    if parent is None:  # not a child of multiprocessing: the other server watches its workers itself
        return
    # Asked again and again: a forked worker holds both ends of the pipe that would tell it.
    while os.getppid() == parent.pid:
        time.sleep(_PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(drain)
    os.kill(os.getpid(), signal.SIGKILL)  # as the master does; a connection that idles must not keep it


def _start(container: Container) -> None:
    # `idp serve` has made sure of the keys; under another server the first worker does.
    with contextlib.suppress(Unavailable):
        container.admin.keys.ensure()
    container.feed.start()
    stop_jobs = start_jobs(container)

    def stop() -> None:
        stop_jobs()
        container.close()

    # A worker is a child process: those end through multiprocessing's own finalizers and
    # may skip atexit. Whichever comes first; stopping twice is harmless.
    util.Finalize(None, stop, exitpriority=100)
    atexit.register(stop)
