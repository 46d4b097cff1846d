"""A real kernel that executes traces: booted, fed, watched, and booted again when it is gone.

What a trace showed is an Observed. One that could not be observed has an Interrupted: with the kernel's own report of
its trouble, which is a failure, or without, which says nothing of the kernel.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol

from guest.op_codes import op_table_digest
from workers.targets.console import Trouble, find_trouble
from workers.targets.errors import ChannelError, LostGuestError
from workers.targets.folders import make_folder
from workers.targets.machine import MOST_CONSOLE_BYTES, Boot, Machine
from workers.targets.messages import Batch, Ready, decode_ready, decode_trace, encode_batch
from workers.targets.observed import Observed, Status
from workers.targets.wire import Frame, FrameReader, Kind, encode_frame

# How often the console is looked at while nothing comes over the channel.
_LOOK_SECONDS = 1.0
# A guest that panics ends QEMU at once; this long its last words are waited for.
_LAST_WORDS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited: for a guest to come up, and for each trace (twice what the guest itself waits for an op)."""

    boot_seconds: float = 120.0
    trace_seconds: float = 60.0
    traces_per_boot: int = 20_000


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A trace in whose execution the guest was lost. `trouble` is the kernel's own report, None if it made none."""

    reason: str
    trouble: Trouble | None
    console: str


Outcome = Observed | Interrupted


@dataclass(slots=True)
class Figures:
    """What a session has done so far."""

    boots: int = 0
    boot_seconds: list[float] = field(default_factory=list)
    traces: int = 0
    lost: int = 0


class Watcher(Protocol):
    """Told of what happens to the guests."""

    def __call__(self, event: str, **values: object) -> None:
        """An event and its values."""


class Session:
    """Guests of one kernel and swap device, one at a time. A context manager: no guest is left behind."""

    def __init__(self, boot: Boot, limits: Limits | None = None, watch: Watcher | None = None) -> None:
        self._boot = boot
        self._limits = limits or Limits()
        self._watch = watch
        self._guest: _Guest | None = None
        self._nonce = 1
        self.figures = Figures()

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Ready:
        """Boot a guest if there is none; what it says of itself. LostGuestError with what was seen if it stays away."""
        if self._guest is None:
            self._guest = _Guest(self._boot, self._limits)
            try:
                self._guest.wait_until_ready()
            except BaseException:
                self.stop()
                raise
            self.figures.boots += 1
            self.figures.boot_seconds.append(self._guest.boot_seconds)
            self._tell("guest is up", seconds=round(self._guest.boot_seconds, 2), release=self._guest.ready.release)
        return self._guest.ready

    def stop(self) -> None:
        """End the guest."""
        guest, self._guest = self._guest, None
        if guest is not None:
            guest.end()

    @property
    def pid(self) -> int | None:
        """The number of the QEMU process, None while there is none."""
        return self._guest.machine.pid if self._guest else None

    def execute(self, batch: Batch) -> list[Outcome]:
        """Execute the traces of a batch, each once; their outcomes in order.

        After a trace that took the guest with it the next ones are run in a new guest.
        """
        outcomes: list[Outcome] = []
        while len(outcomes) < len(batch.traces):
            left = replace(batch, traces=batch.traces[len(outcomes) :], nonce=self._take_nonces(len(batch.traces)))
            outcomes += self._execute_some(left)
        return outcomes

    def run_program(self, words: Sequence[str], seconds: float) -> tuple[int, str]:
        """Run a program of the initramfs; its exit status and output. LostGuestError if the guest does not answer."""
        self.start()
        assert self._guest is not None
        payload = b"".join(word.encode() + b"\0" for word in words)
        answer = self._guest.ask(Kind.EXECUTE, payload, Kind.EXECUTED, seconds)
        return int.from_bytes(answer[:4], "little"), answer[4:].decode("utf-8", "replace")

    def ping(self, payload: bytes = b"", seconds: float = 10.0) -> bytes:
        """What the guest sends back."""
        self.start()
        assert self._guest is not None
        return self._guest.ask(Kind.PING, payload, Kind.PONG, seconds)

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are no frame."""
        self.start()
        assert self._guest is not None
        self._guest.machine.send(data, time.monotonic() + self._limits.trace_seconds)

    def provoke(self, words: Sequence[str]) -> Interrupted:
        """Run a program that takes the guest with it; how the guest was lost. LostGuestError if it survives."""
        try:
            status, output = self.run_program(words, self._limits.trace_seconds)
        except (LostGuestError, ChannelError) as error:
            assert self._guest is not None
            lost = self._guest.find_reason(str(error))
            self.stop()
            return lost
        raise LostGuestError(f"the guest has survived {' '.join(words)}: exit status {status}, {output.strip()}")

    def _take_nonces(self, number: int) -> int:
        first = self._nonce
        self._nonce = (first + number) % (1 << 31) or 1
        return first

    def _execute_some(self, batch: Batch) -> list[Outcome]:
        """Outcomes of as many traces as one guest executes, at least one."""
        self.start()
        guest = self._guest
        assert guest is not None
        outcomes: list[Outcome] = []
        try:
            for observed in guest.run(batch):
                outcomes.append(observed)
                self.figures.traces += 1
                if _is_doubtful(observed):
                    self._tell("guest is given up", status=observed.status.name, clean=observed.clean)
                    self.stop()
                    return outcomes
        except (LostGuestError, ChannelError) as error:
            outcomes.append(guest.find_reason(str(error)))
            self.figures.lost += 1
            self._tell("guest is lost", reason=str(error))
            self.stop()
            return outcomes
        trouble = guest.new_trouble()
        if trouble is not None:
            # The kernel goes on after a warning, and nobody knows in what state.
            outcomes[-1] = Interrupted(trouble.line, trouble, trouble.excerpt)
            self.stop()
        elif guest.traces >= self._limits.traces_per_boot:
            self.stop()
        return outcomes

    def _tell(self, event: str, **values: object) -> None:
        if self._watch is not None:
            self._watch(event, **values)


class _Guest:
    """One booted guest."""

    def __init__(self, boot: Boot, limits: Limits) -> None:
        self._folder = make_folder()
        self._limits = limits
        self._reader = FrameReader()
        self._sequence = 0
        self._started = time.monotonic()
        try:
            self.machine = Machine(boot, self._folder)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.boot_seconds = 0.0
        self.traces = 0
        self._ended = False

    def wait_until_ready(self) -> None:
        """Take the guest's first message."""
        frame = self._next_frame(self._limits.boot_seconds, "come up")
        if frame.kind == Kind.ERROR:
            raise LostGuestError(f"the guest cannot serve: {frame.payload.decode('utf-8', 'replace')}")
        if frame.kind != Kind.READY:
            raise ChannelError(f"the guest's first message is a {frame.kind.name}")
        self.ready = decode_ready(frame.payload)
        if self.ready.op_table != op_table_digest():
            raise LostGuestError("the guest knows other ops than this mmfuzz: its agent is of another version")
        self.boot_seconds = time.monotonic() - self._started

    def run(self, batch: Batch) -> Iterator[Observed]:
        """Execute a batch; what each trace showed, as it comes."""
        self._send(Kind.RUN, encode_batch(batch))
        for expected in range(len(batch.traces)):
            frame = self._next_frame(self._limits.trace_seconds, f"execute trace {expected} of its batch")
            self._check(frame, Kind.TRACE)
            index, observed = decode_trace(frame.payload, batch)
            if index != expected:
                raise ChannelError(f"the guest answered with trace {index} of its batch instead of {expected}")
            self.traces += 1
            yield observed

    def ask(self, kind: Kind, payload: bytes, answer: Kind, seconds: float) -> bytes:
        """One question and its answer."""
        self._send(kind, payload)
        frame = self._next_frame(seconds, f"answer a {kind.name}")
        self._check(frame, answer)
        return frame.payload

    def find_reason(self, what: str) -> Interrupted:
        """Why the guest was lost: what its console says, or else what was seen from outside."""
        if self._ended:
            self.machine.exit_code(_LAST_WORDS_SECONDS)
        console = self.machine.read_console()
        trouble = find_trouble(console)
        return Interrupted(trouble.line if trouble else what, trouble, _tail(console))

    def new_trouble(self) -> Trouble | None:
        """A report of trouble by a kernel that goes on."""
        return find_trouble(self.machine.read_console())

    def end(self) -> None:
        """Kill QEMU and take its files away."""
        self.machine.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _send(self, kind: Kind, payload: bytes) -> None:
        self._sequence += 1
        frame = Frame(kind, self._sequence, payload)
        self.machine.send(encode_frame(frame), time.monotonic() + self._limits.trace_seconds)

    def _check(self, frame: Frame, kind: Kind) -> None:
        if frame.kind == Kind.ERROR:
            raise LostGuestError(f"the guest says: {frame.payload.decode('utf-8', 'replace')}")
        if frame.kind != kind or frame.sequence != self._sequence:
            raise ChannelError(f"the guest answered {self._sequence} with a {frame.kind.name} for {frame.sequence}")

    def _next_frame(self, seconds: float, to_do: str) -> Frame:
        """The next message. LostGuestError when the guest is gone, or says nothing for so long."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self._reader.take()
            if frame is not None:
                return frame
            data = self.machine.receive(min(deadline, time.monotonic() + _LOOK_SECONDS))
            if data:
                self._reader.add(data)
            elif data is not None:
                self._ended = True
                raise LostGuestError(f"the guest ended before it could {to_do}{self._last_words()}")
            elif time.monotonic() > deadline:
                raise LostGuestError(f"the guest did not {to_do} within {seconds:.0f} s{self._last_words()}")
            elif self.machine.console_bytes() > MOST_CONSOLE_BYTES:
                raise LostGuestError("the guest does nothing but write to its console")

    def _last_words(self) -> str:
        self.machine.exit_code(_LAST_WORDS_SECONDS / 10)
        said = self.machine.complaints() or _tail(self.machine.read_console(), 5)
        return f": {said}" if said else ""


def _is_doubtful(observed: Observed) -> bool:
    """Whether the guest is no longer to be trusted after this trace."""
    return not observed.clean or observed.status in {Status.DIED, Status.STUCK, Status.NOT_STARTED}


def _tail(text: str, lines: int = 80) -> str:
    return "\n".join(text.splitlines()[-lines:])
