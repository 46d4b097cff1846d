"""Work done in a child process, which may be limited and may die."""

import multiprocessing
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

# Forked, so that a child may run what a test defines. No engine is open in the parent when it forks.
FORK = multiprocessing.get_context("fork")
JOIN_SECONDS = 60


def in_child(work: Callable[[], object], *limits: tuple[int, int]) -> str:
    """How the work ended in a process of its own: "done", an error as "Class: message", or "ended by SIGNAL".

    `limits` are resources of `resource.setrlimit` and what they are limited to.
    """

    def be_child(said: Connection) -> None:
        for number, most in limits:
            resource.setrlimit(number, (most, resource.getrlimit(number)[1]))
        try:
            work()
            said.send("done")
        except Exception as error:
            said.send(f"{type(error).__name__}: {error}")

    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=be_child, args=(sender,), daemon=True)
    child.start()
    sender.close()
    child.join(JOIN_SECONDS)
    assert child.exitcode is not None, "the child did not end"
    return f"ended by {signal.Signals(-child.exitcode).name}" if child.exitcode < 0 else str(receiver.recv())
