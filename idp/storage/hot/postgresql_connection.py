"""One PostgreSQL connection that runs prepared statements with as little work as libpq allows.

psycopg opens the connection, and its libpq wrapper (``psycopg.pq``) carries the statements. Its cursor is
left out: making one, choosing adapters for every value and driving its generators cost four times what the
statement itself costs. What is needed of all that is here: a statement is prepared once per connection,
the server says which types it takes and gives, and a table has the binary form of each.
"""

import itertools
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from idp.settings import DatabaseSettings
from idp.storage.connections import Unanswered, patience, postgresql_arguments

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where PostgreSQL begins to count the microseconds of a timestamptz."""
_ANSWERED = (int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK))
_OUT_OF_TIME = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
TIME_OUTS = (*_OUT_OF_TIME, Unanswered)
"""What it is called when the database had its time and gave no answer."""
_int16, _int32, _int64 = struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">q")
_JSONB_VERSION = b"\x01"


def _time_to_binary(moment: datetime) -> bytes:
    distance = moment - _EPOCH
    seconds = distance.days * 86_400 + distance.seconds
    return _int64.pack(seconds * 1_000_000 + distance.microseconds)


def _time_from_binary(value: bytes) -> datetime:
    return _EPOCH + timedelta(0, 0, _int64.unpack(value)[0])


def _json_to_binary(document: str | bytes) -> bytes:
    return _JSONB_VERSION + (document.encode() if isinstance(document, str) else document)


def _same(value: bytes) -> bytes:
    return value


_ENCODERS: dict[int, Callable[[Any], bytes]] = {
    16: lambda value: b"\x01" if value else b"\x00",  # boolean
    17: _same,  # bytea
    20: _int64.pack,  # bigint
    21: _int16.pack,  # smallint
    23: _int32.pack,  # integer
    25: str.encode,  # text
    1184: _time_to_binary,  # timestamptz
    3802: _json_to_binary,  # jsonb
}
"""By the type's number, which the server never changes (src/include/catalog/pg_type.dat)."""

_DECODERS: dict[int, Callable[[bytes], Any]] = {
    16: b"\x01".__eq__,
    17: _same,
    20: lambda value: _int64.unpack(value)[0],
    21: lambda value: _int16.unpack(value)[0],
    23: lambda value: _int32.unpack(value)[0],
    25: bytes.decode,
    1184: _time_from_binary,
    3802: lambda value: value[1:],
}


class RolledBack(Exception):
    """Of statements that went together one failed, so none took effect."""


class _Statement(NamedTuple):
    name: bytes
    formats: list[int]
    encoders: list[Callable[[Any], bytes]]
    decoders: list[tuple[int, Callable[[bytes], Any]]]

    def encoded(self, parameters: tuple[object, ...]) -> list[Any]:
        """As the server takes them. The wrapper takes None for NULL, and its signature does not say so."""
        return [
            None if value is None else encode(value)
            for encode, value in zip(self.encoders, parameters, strict=True)
        ]

    def first_row(self, result: PGresult) -> tuple[Any, ...] | None:
        """The first row, or ``None``."""
        if not result.ntuples:
            return None
        value_of = result.get_value
        return tuple(
            [
                None if (value := value_of(0, number)) is None else decode(value)
                for number, decode in self.decoders
            ]
        )


class Together:
    """Statements that were sent to the server together, and what has come back so far."""

    def __init__(self, pgconn: PGconn, statements: Sequence[_Statement]) -> None:
        self._pgconn = pgconn
        self._statements = statements
        self._results: list[PGresult] = []

    def receive(self) -> list[tuple[Any, ...] | None] | None:
        """Take what has come, without waiting; the first row, or ``None``, of each once all are there.

        Raises:
            RolledBack: one of them failed by itself.
            psycopg.Error: as :meth:`HotConnection.fetch_row`. A time-out means all of them: none took
                effect, and to ask again would take another one.
        """
        pgconn, results = self._pgconn, self._results
        pgconn.consume_input()
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:  # the end of one statement's results
                if pgconn.status != ConnStatus.OK:
                    raise psycopg.OperationalError(pgconn.error_message.decode(errors="replace").strip())
            elif result.status == ExecStatus.PIPELINE_SYNC:
                pgconn.exit_pipeline_mode()
                return self._rows()
            else:
                results.append(result)
        return None

    def _rows(self) -> list[tuple[Any, ...] | None]:
        failed = next((result for result in self._results if result.status not in _ANSWERED), None)
        if failed is not None:
            reason = error_from_result(failed)
            if isinstance(reason, _OUT_OF_TIME):
                raise reason
            raise RolledBack from reason
        return [
            statement.first_row(result)
            for statement, result in zip(self._statements, self._results, strict=True)
        ]


class HotConnection:
    """Runs one statement at a time; each is a transaction of its own.

    Args:
        conninfo: of libpq, without ``options``.
        extra_options: server options from the URL.
        settings: the time-outs.

    Raises:
        psycopg.OperationalError: no connection in time.
    """

    def __init__(self, conninfo: str, extra_options: str, settings: DatabaseSettings) -> None:
        self._connection = psycopg.connect(
            conninfo,
            autocommit=True,
            client_encoding="utf8",
            **postgresql_arguments(settings, extra_options=extra_options),
        )
        self._pgconn = self._connection.pgconn
        self._readable = select.poll()
        self._readable.register(self._pgconn.socket, select.POLLIN)
        self.patience = patience(settings)
        """Seconds to wait for an answer."""
        self.waits_since: float | None = None
        """The monotonic moment a statement was sent that has not been answered yet."""
        self._is_given_up = False
        self._ending = threading.Lock()
        self._statements: dict[str, _Statement] = {}
        self._names = itertools.count()
        self.opened_at = self.used_at = 0.0
        """Monotonic moments; kept by the pool, which tells by them how far to trust the connection."""

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """The first row, or ``None``.

        Raises:
            psycopg.Error: what the server or libpq say.
            Unanswered: the server said nothing; the connection cannot be used any more.
        """
        statement = self._statements.get(sql) or self._prepare(sql)
        values = statement.encoded(parameters)
        # One call that lets other threads run until the answer is there. Sending, waiting and reading one
        # by one would let them run three times, and each time this thread would have to queue to go on.
        self.waits_since = time.monotonic()
        try:
            result = self._pgconn.exec_prepared(statement.name, values, statement.formats, Format.BINARY)
        except MemoryError as error:  # what the wrapper makes of no result: libpq could not send
            raise psycopg.OperationalError("the statement could not be sent") from error
        finally:
            self.waits_since = None
        if self._is_given_up:
            raise Unanswered(f"no answer within {self.patience} s")
        if result.status not in _ANSWERED:
            if self.is_lost:  # libpq's own words come without an error code
                raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
            raise error_from_result(result)
        return statement.first_row(result)

    def begin_together(self, statements: Sequence[tuple[str, tuple[object, ...]]]) -> "Together":
        """Send several statements at once, to be run as one transaction; the caller waits for the answer.

        Nothing else may be done with the connection until then.

        Raises:
            RolledBack: one of them was given a value of the wrong kind; nothing was sent.
            psycopg.Error, Unanswered: as :meth:`fetch_row`.

        Source: libpq, pipeline mode (§34.5); the message flow of §55.2.4: what stands before one
        synchronisation is one transaction, which is committed before that is answered.
        """
        pgconn = self._pgconn
        prepared = [self._statements.get(sql) or self._prepare(sql) for sql, _ in statements]
        try:
            values = [
                statement.encoded(parameters)
                for statement, (_, parameters) in zip(prepared, statements, strict=True)
            ]
        except Exception as error:
            # Whoever gave a value of the wrong kind shall hear of it, and not all the others.
            raise RolledBack from error
        pgconn.enter_pipeline_mode()
        for statement, own in zip(prepared, values, strict=True):
            pgconn.send_query_prepared(statement.name, own, statement.formats, Format.BINARY)
        pgconn.pipeline_sync()
        if pgconn.flush():
            self._push()
        return Together(pgconn, prepared)

    @property
    def socket(self) -> int:
        """Its number; readable when there is something to :meth:`Together.receive`."""
        return self._pgconn.socket

    def frame(self, command: bytes) -> None:
        """Begin or end a transaction of several statements.

        Raises:
            psycopg.Error, Unanswered: as :meth:`fetch_row`.
        """
        self._pgconn.send_query(command)
        self._receive()

    @property
    def is_usable(self) -> bool:
        """Whether the connection stands and waits for a statement."""
        return (
            self._pgconn.status == ConnStatus.OK and self._pgconn.transaction_status == TransactionStatus.IDLE
        )

    @property
    def is_lost(self) -> bool:
        """Whether the server, or something between, has ended the connection."""
        return self._pgconn.status != ConnStatus.OK

    def close(self) -> None:
        """End the connection, whatever its state."""
        with self._ending:
            self._connection.close()

    def give_up(self, since: float) -> None:
        """End the wait of the thread that has waited since that moment; it raises ``Unanswered``.

        Called by another thread: the waiting one is inside libpq, which knows no time-out.
        """
        with self._ending:  # or the number of a closed socket could be that of another by now
            if self._connection.closed or self.waits_since != since:
                return
            self._is_given_up = True
            # Errors: libpq has just noticed by itself that the connection is gone, so nobody waits any more.
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._pgconn.socket)) as same:
                same.shutdown(socket.SHUT_RDWR)

    def _prepare(self, sql: str) -> _Statement:
        name = b"h%d" % next(self._names)
        self._pgconn.send_prepare(name, sql.encode())
        self._receive()
        self._pgconn.send_describe_prepared(name)
        described = self._receive()
        encoders = [_ENCODERS[described.param_type(number)] for number in range(described.nparams)]
        statement = _Statement(
            name=name,
            formats=[Format.BINARY] * len(encoders),
            encoders=encoders,
            decoders=[(number, _DECODERS[described.ftype(number)]) for number in range(described.nfields)],
        )
        self._statements[sql] = statement
        return statement

    def _receive(self) -> PGresult:
        """The answer to what was sent: libpq's procedure for connections that must not block (§34.4)."""
        pgconn = self._pgconn
        if pgconn.flush():
            self._push()
        self._await_result(time.monotonic() + self.patience)
        result = pgconn.get_result()
        while pgconn.get_result() is not None:
            pass
        if result is None:
            raise psycopg.OperationalError("the server gave no result")
        if result.status not in _ANSWERED:
            raise error_from_result(result)
        return result

    def _await_result(self, until: float) -> None:
        """Return when libpq has a result in hand; a part of an answer does not buy more time."""
        pgconn = self._pgconn
        while pgconn.is_busy():
            if not self._readable.poll(max(0.0, until - time.monotonic()) * 1000):
                # Nobody knows what became of the statement: the connection cannot be used again.
                self.close()
                raise Unanswered(f"no answer within {self.patience} s")
            pgconn.consume_input()

    def _push(self) -> None:
        """Send what the socket did not take at once."""
        self._readable.modify(self._pgconn.socket, select.POLLIN | select.POLLOUT)
        try:
            while self._pgconn.flush():
                if not self._readable.poll(self.patience * 1000):
                    self.close()
                    raise Unanswered(f"nothing taken within {self.patience} s")
                self._pgconn.consume_input()
        finally:
            if not self._connection.closed:
                self._readable.modify(self._pgconn.socket, select.POLLIN)
