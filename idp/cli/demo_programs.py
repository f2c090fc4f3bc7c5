"""The programs of the demonstration: started, waited for, watched, ended together."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from idp.errors import IdpError, Unavailable
from idp.http import HttpClient
from idp.settings import HttpSettings

_START_ATTEMPTS = 300
_ATTEMPT_SECONDS = 0.1
_LOOK_SECONDS = 0.5
_STOP_SECONDS = 15
_LAST_LINES = 15
_NOT_READY = 503
# A closed terminal (SIGHUP) ends everything too; otherwise the ports stay taken with nobody to see why.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(Exception):
    """Somebody asked for the end while a program was still starting."""


class Programs:
    """Programs that live as long as the ``with`` block; the last one started ends first.

    Args:
        logs: folder for what the programs say, one file each.
        ended: set when everything shall end.
    """

    def __init__(self, logs: Path, ended: threading.Event) -> None:
        self._logs = logs
        self._ended = ended
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the server's workers outlive it otherwise
                process.wait()

    def start(self, name: str, environment: Mapping[str, str], *arguments: str) -> None:
        """Start Python with these arguments.

        Args:
            name: in lower case with an article, as in "the API"; also names the log file.
            environment: all that the program gets to see.
            arguments: a script or ``-m`` and a module, and what it takes.
        """
        # A session of its own: Ctrl-C reaches this process alone, which then ends the others in order.
        with self._log(name).open("wb") as output:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own files
                [sys.executable, *arguments],
                env=environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_until_answering(self, name: str, url: str) -> None:
        """Return once ``url`` answers with anything but 503.

        Raises:
            Unavailable: a program ended, or nothing answered within half a minute.
            Ended: the end was asked for meanwhile.
        """
        client = HttpClient(HttpSettings(allowed_private_hosts=("localhost",)))
        for _ in range(_START_ATTEMPTS):
            self._refuse_if_one_ended()
            with contextlib.suppress(IdpError):
                if client.get(url, accept="*/*").status != _NOT_READY:
                    return
            if self._ended.wait(_ATTEMPT_SECONDS):
                raise Ended
        raise Unavailable(f"{name} did not answer at {url} in time{self._last_words(name)}")

    def watch(self) -> None:
        """Return when the end is asked for.

        Raises:
            Unavailable: a program ended by itself.
        """
        while not self._ended.wait(_LOOK_SECONDS):
            self._refuse_if_one_ended()

    def _refuse_if_one_ended(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None and not self._ended.is_set():
                raise Unavailable(f"{name} ended by itself{self._last_words(name)}")

    def _last_words(self, name: str) -> str:
        path = self._log(name)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        return f"; the end of {path}:\n" + "\n".join(f"    {line}" for line in lines) if lines else ""

    def _log(self, name: str) -> Path:
        return self._logs / f"{name.removeprefix('the ').replace(' ', '-').lower()}.log"


@contextlib.contextmanager
def ended_by_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM or the closing of the terminal sets."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in _ENDING}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
