"""The documented fallback for machines without granian: gunicorn with threads serves the same application."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.served.journey import take_the_whole_journey
from tests.served.rig import Served


class ByGunicorn(Served):
    """`gunicorn --worker-class gthread 'idp.app:serve_app()'`, after `idp migrate`."""

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    shutil.which("gunicorn", path=str(Path(sys.executable).parent)) or "gunicorn",
                    "--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers),
                    "--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "10",
                    "idp.app:serve_app()",
                ],
                env=self.environment,
                cwd=self.directory,
                stdout=output,
                stderr=output,
            )  # fmt: skip
        self.wait_until_ready()


def test_gunicorn_serves_the_same_application(tmp_path: Path):
    """A whole journey, and an orderly end."""
    with ByGunicorn(tmp_path, workers=2, IDP_LOG_LEVEL="DEBUG") as served:
        served.account()

        canary = take_the_whole_journey(served, served.client(), served.machine())

        assert served.stop(signal.SIGTERM) == 0
        canary.assert_silent_in(served.log_text())
        assert "Traceback" not in served.log_text()
