"""Programs that tests start, each in a folder of its own, by which all of its processes are found and ended.

A process may leave its group (PostgreSQL's do) and its environment may be overwritten (PostgreSQL's is), but none of
those we start leaves its folder. Run as a program, this file is the guard: it waits until the tests are gone, killed
perhaps, and then ends what they left.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

PATIENCE_SECONDS = 60
LOOK_EVERY_SECONDS = 0.02
LOG_TAIL = 4000
# Below the ports that the kernel gives to clients: a server that is down for a moment finds its port free again.
PORTS = range(20_000, 32_000)


class OwnProcess:
    """A program that runs in `folder`, and every process it starts there; it begins at once.

    Leads a session of its own, so that Ctrl-C in the terminal is for the tests alone. What it prints is in `log`.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.folder = folder
        self.log = log
        self.command = list(command)
        _guard.watch(folder)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=folder,
                env=environment,
                user=user,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        """The process that was started, not those that it started."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process that was started still runs."""
        return self._process.poll() is None

    def members(self) -> list[int]:
        """All of its processes that run, or are stopped by a signal."""
        return processes_in(self.folder)

    def output(self) -> str:
        """The end of what it printed."""
        return self.log.read_text("utf-8", "replace")[-LOG_TAIL:]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started, as `docker stop` does."""
        self._process.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        send_to(self.members(), number)

    def pause(self) -> None:
        """Stop all of its processes where they are; their connections stay open and silent."""
        self.send_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self.send_all(signal.SIGCONT)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The exit code of the process that was started, once it has ended; negative for a signal's number."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} still runs after {seconds} s:\n{self.output()}") from None

    def end(self) -> None:
        """Kill all of its processes and wait until none is left."""
        end_all_in(self.folder)
        self._process.wait(PATIENCE_SECONDS)
        _guard.forget(self.folder)


def processes_in(folder: Path) -> list[int]:
    """The processes whose working folder is this one or below it. Those of other users are seen only by root."""
    found = []
    folder = folder.resolve()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                place = (entry / "cwd").readlink()
            except OSError:
                # Gone meanwhile, dead and not waited for yet, or somebody else's.
                continue
            if place.is_relative_to(folder):
                found.append(int(entry.name))
    return found


def send_to(processes: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue


def end_all_in(folder: Path) -> None:
    """Kill whatever works in the folder until nothing does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := processes_in(folder):
        assert time.monotonic() < deadline, f"{left} in {folder} survive SIGKILL"
        send_to(left, signal.SIGKILL)
        time.sleep(LOOK_EVERY_SECONDS)


def wait_until(happened: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once it has happened; an assertion that names it when it does not in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"after {seconds} s still waiting: {what}"
        time.sleep(LOOK_EVERY_SECONDS)


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port was found among 100")


class Guard:
    """A process that outlives the tests by a moment and ends whatever works in the watched folders.

    Only needed when the tests are killed: it is told of each folder, and sees by the end of its input that they are
    gone.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def watch(self, folder: Path) -> None:
        """End what is in this folder if the tests die."""
        self._tell(f"+{folder}")

    def forget(self, folder: Path) -> None:
        """Leave this folder alone from now on."""
        self._tell(f"-{folder}")

    def _tell(self, line: str) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", __file__],
                cwd="/",
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


_guard = Guard()


def guard(lines: Iterator[str]) -> None:
    """What the guard does with its input."""
    folders = set()
    for line in lines:
        sign, folder = line[0], Path(line[1:].rstrip("\n"))
        if sign == "+":
            folders.add(folder)
        else:
            folders.discard(folder)
    for folder in folders:
        end_all_in(folder)


if __name__ == "__main__":
    guard(iter(sys.stdin))
