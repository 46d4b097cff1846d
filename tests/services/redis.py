"""A Redis (or Valkey) server of our own, which tests may stop, kill, freeze and start again."""

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services.processes import OwnProcess, free_port, wait_until

PROGRAMS = ("redis-server", "valkey-server")
# What the queue needs: nothing is lost when the server dies, and nothing is thrown away when memory is short.
DURABLE = ("--appendonly", "yes", "--maxmemory-policy", "noeviction")
ANSWER_SECONDS = 1.0


class RedisServer:
    """A server with its data in a folder of its own, on one port of the loopback for all its life."""

    def __init__(self, program: Path, folder: Path, options: Sequence[str] = DURABLE) -> None:
        self.program = program
        self.folder = folder
        self.data = folder / "data"
        self.options = tuple(options)
        self.port = free_port()
        self._process: OwnProcess | None = None

    @property
    def process(self) -> OwnProcess:
        """The server's process; it must have been started."""
        assert self._process is not None, "the server was not started"
        return self._process

    def url(self, database: int = 0) -> str:
        """The URL of one of its sixteen databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it on the data it has and wait until it answers."""
        self.data.mkdir(exist_ok=True)
        own = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.data), "--daemonize", "no")
        # An empty --save keeps it from snapshots beside the log of commands.
        command = [str(self.program), *self.options, "--save", "", *own]
        self._process = OwnProcess(self.folder, command, self.folder / "log")
        wait_until(self._answers_or_died, f"{self.program.name} on port {self.port}")
        assert self.process.running, f"{self.program.name} ended at once:\n{self.process.output()}"

    def stop(self) -> None:
        """End it in an orderly way, with all data on disk."""
        self.process.resume()
        self.process.send(signal.SIGTERM)
        self.process.wait()
        self.process.end()

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.end()

    def restart(self, *, keep_data: bool = True) -> None:
        """Start it again after kill -9, or where it was stopped before; without its data it comes back empty."""
        self.kill()
        if not keep_data:
            shutil.rmtree(self.data)
        self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """Let it go on."""
        self.process.resume()

    def ask(self, *words: str) -> str:
        """The first line of its answer to a command; OSError when there is none within a second."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                return answer.readline().decode().rstrip()

    def answers(self) -> bool:
        """Whether it serves requests."""
        try:
            return self.ask("PING") == "+PONG"
        except OSError:
            return False

    def empty(self) -> None:
        """Remove everything from all its databases."""
        assert self.ask("FLUSHALL") == "+OK"

    def _answers_or_died(self) -> bool:
        return not self.process.running or self.answers()


def find_redis() -> Path | None:
    """The server's program, if one is installed."""
    found = (shutil.which(name) for name in PROGRAMS)
    return next((Path(path) for path in found if path), None)


@contextmanager
def running_redis(options: Sequence[str] = DURABLE) -> Iterator[RedisServer]:
    """A started server; at the end nothing of it is left. Skips the test where none is installed."""
    program = find_redis()
    if program is None:
        pytest.skip(f"neither {' nor '.join(PROGRAMS)} is on the PATH")
    with tempfile.TemporaryDirectory(prefix="mmfuzz-redis-") as folder:
        server = RedisServer(program, Path(folder), options)
        try:
            server.start()
            yield server
        finally:
            server.kill()
