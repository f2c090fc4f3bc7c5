"""Threads are interrupted for each other only while something long is computed."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, threading
from idp import scheduling
from idp.scheduling import interruptible, settle, work_in_batches

moment = 1000.0
scheduling._policy = scheduling._Policy(lambda: moment)
os.register_at_fork(after_in_child=scheduling._policy.begin_anew)
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


def test_a_long_work_lets_all_be_interrupted_until_a_moment_after_the_last_one():
    body = """
work_in_batches(); waiting_thread()
with interruptible():
    print(policies())
    with interruptible():
        waiting_thread()
    moment += 1
    settle()
    print(policies())
settle()
print(policies())
moment += 0.3
settle()
print(policies())
"""
    assert said(body) == ["['other']", "['other']", "['other']", "['batch']"]


def test_works_that_follow_each_other_change_nothing_between_them():
    body = """
work_in_batches()
with interruptible():
    pass
os.sched_setscheduler = None
for _ in range(100):
    moment += 0.1
    settle()
    with interruptible():
        pass
print("unchanged")
"""
    assert said(body) == ["unchanged"]


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
        work_in_batches()
        before = policies()
        with interruptible():
            os._exit(0 if (before, policies()) == (["batch"], ["other"]) else 1)
    print(os.waitpid(child, 0)[1])
"""
    assert said(body) == ["0"]
