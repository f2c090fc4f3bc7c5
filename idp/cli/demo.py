"""``idp demo``: the server and three example applications, to click through."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import urllib3

from idp.errors import Conflict, NotFound, Unavailable

_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLES = _ROOT / "examples"
_DATA = Path("var/demo")
_ISSUER_PORT, _APPLICATION_PORT, _API_PORT = 8000, 9000, 9001
_START_ATTEMPTS = 100
_STOP_SECONDS = 15
