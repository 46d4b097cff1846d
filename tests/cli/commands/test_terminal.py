"""A run on a real terminal: it shows live progress, is stopped with Ctrl-C, and leaves the terminal as it was."""

import os
import pty
import select
import termios
import time
from collections.abc import Callable

import pytest

from tests.cli.conftest import REFUSED, Shell

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
DEADLINE_SECONDS = 60


class Terminal:
    """A command on a pseudo-terminal of its own, which it controls."""

    def __init__(self, command: list[str], folder: str, environment: dict[str, str]) -> None:
        self.process, self.fd = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.before = termios.tcgetattr(self.fd)
        self.seen = ""

    def read_until(self, wanted: Callable[[str], bool]) -> None:
        """Read until what was seen so far is as wanted, or the command has ended."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not wanted(self.seen):
            assert time.monotonic() < deadline, f"this was all: {self.seen[-2000:]}"
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                part = os.read(self.fd, 65536)
            except OSError:  # the other side is closed
                return
            if not part:
                return
            self.seen += part.decode(errors="replace")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.fd, keys.encode())

    def wait(self) -> int:
        """Read to the end; the exit code."""
        self.read_until(lambda _: False)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@pytest.fixture
def terminal(mmfuzz: Shell) -> Terminal:
    """A long run on a terminal."""
    command = mmfuzz.command("run", REFUSED, "--seconds", 600, "--seed", 1)
    return Terminal(command, str(mmfuzz.folder), mmfuzz.environment | {"TERM": "xterm-256color", "COLUMNS": "110"})


def test_progress_is_live_and_ctrl_c_stops_cleanly(terminal: Terminal) -> None:
    terminal.read_until(lambda seen: "found fail-" in seen and " ops/s" in seen.replace("/s, ", " ops/s"))
    terminal.read_until(lambda seen: "failures, " in seen and " left" in seen)
    assert "━" in terminal.seen
    assert HIDE_CURSOR in terminal.seen
    terminal.type("\x03")
    assert terminal.wait() == 1
    assert "stopped by you; all that was found before is here" in terminal.seen
    assert "Traceback" not in terminal.seen
    assert terminal.seen.rindex(SHOW_CURSOR) > terminal.seen.rindex(HIDE_CURSOR)
    last_line = terminal.seen.rstrip().splitlines()[-1]
    assert "FAIL" in last_line
    assert "stored as run-" in last_line
