"""Threads are interrupted for each other only while something long is computed."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, threading
from idp.scheduling import interruptible, work_in_batches

NAMES = {os.SCHED_OTHER: "other", os.SCHED_BATCH: "batch"}
stop = threading.Event()

def policies():
    return sorted({NAMES[os.sched_getscheduler(int(one))] for one in os.listdir("/proc/self/task")})

def waiting_thread():
    threading.Thread(target=stop.wait, daemon=True).start()

BODY
stop.set()
"""


def said(body: str) -> list[str]:
    """What a program of its own prints: the policy is that of a whole process."""
    program = PROGRAM.replace("BODY", body)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.split("\n")[:-1]


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such policy")


def test_threads_take_it_from_the_first():
    assert said("work_in_batches(); waiting_thread(); print(policies())") == ["['batch']"]


def test_a_long_work_lets_all_be_interrupted_until_the_last_one_ends():
    body = """
work_in_batches(); waiting_thread()
with interruptible():
    print(policies())
    with interruptible():
        waiting_thread()
    print(policies())
print(policies())
"""
    assert said(body) == ["['other']", "['other']", "['batch']"]


def test_a_process_that_did_not_ask_for_it_is_left_alone():
    body = """
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
with interruptible():
    print(policies())
"""
    assert said(body) == ["['batch']"]


def test_a_child_begins_anew():
    body = """
work_in_batches()
with interruptible():
    if not (child := os.fork()):
        with interruptible():
            os._exit(0 if policies() == ["other"] else 1)
    print(os.waitpid(child, 0)[1])
print(policies())
"""
    assert said(body) == ["0", "['batch']"]
