"""Nothing that a test starts outlives the tests, whatever happens to them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.processes import OwnProcess, free_port, processes_in, wait_until

# Leaves its group and its parent, and ignores every signal that can be ignored.
STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
time.sleep(600)
"""
# A test run that starts a program and then waits.
TESTS = """
import sys, time
from pathlib import Path
from tests.services.processes import OwnProcess
OwnProcess(Path(sys.argv[1]), [sys.executable, "-c", sys.argv[2]], Path(sys.argv[1], "log"))
time.sleep(600)
"""


@pytest.fixture
def stubborn(tmp_path: Path) -> OwnProcess:
    process = OwnProcess(tmp_path, [sys.executable, "-c", STUBBORN], tmp_path / "log")
    wait_until(lambda: len(process.members()) == 2, "the child")
    return process


def test_end_leaves_no_process_that_left_the_group(stubborn: OwnProcess) -> None:
    stubborn.send(signal.SIGTERM)
    assert stubborn.running
    stubborn.end()
    assert not stubborn.running
    assert stubborn.members() == []


def test_end_ends_what_is_paused(stubborn: OwnProcess) -> None:
    stubborn.pause()
    stubborn.end()
    assert stubborn.members() == []


def test_end_ends_what_its_parent_left_behind(stubborn: OwnProcess) -> None:
    stubborn.send(signal.SIGKILL)
    assert stubborn.wait() == -signal.SIGKILL
    assert len(stubborn.members()) == 1
    stubborn.end()
    assert stubborn.members() == []


def test_process_that_does_not_end_is_told_with_its_output(tmp_path: Path) -> None:
    process = OwnProcess(tmp_path, ["sh", "-c", "echo here I am; sleep 600"], tmp_path / "log")
    with pytest.raises(AssertionError, match="here I am"):
        process.wait(0.5)
    process.end()


def test_nothing_is_left_of_tests_that_were_killed(tmp_path: Path, root: Path) -> None:
    tests = subprocess.Popen(
        [sys.executable, "-c", TESTS, str(tmp_path), STUBBORN], env=os.environ | {"PYTHONPATH": str(root)}
    )
    wait_until(lambda: len(processes_in(tmp_path)) == 2, "what the tests start")
    tests.kill()
    tests.wait()
    wait_until(lambda: processes_in(tmp_path) == [], "the guard's work")


def test_ports_are_free_and_no_clients_ports() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert {port for port in (free_port() for _ in range(50)) if port >= lowest} == set()
