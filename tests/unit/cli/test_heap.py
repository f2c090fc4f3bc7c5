"""What the server's allocator is told before it is loaded."""

import subprocess
import sys

from idp.cli.heap import keep_server_heap_small

_VARIABLE = "_RJEM_MALLOC_CONF"


def test_the_allocator_is_told_to_keep_little():
    environ: dict[str, str] = {}

    keep_server_heap_small(environ)

    assert "narenas:1" in environ[_VARIABLE].split(",")


def test_what_the_operator_has_set_stays():
    environ = {_VARIABLE: "narenas:8"}

    keep_server_heap_small(environ)

    assert environ == {_VARIABLE: "narenas:8"}


def test_it_is_said_before_the_server_is_loaded():
    """Said later, nobody would hear it."""
    code = "import sys, idp.cli.main; sys.exit('granian' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
