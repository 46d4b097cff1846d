"""The conformance suite of a target: what every target must do, each tried on the real thing."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fuzzer.real.drivable import DRIVEN_OPS
from simcore.trace_op import Op, encode_op
from simcore.world import World
from workers.targets.errors import TargetError
from workers.targets.messages import Batch
from workers.targets.observed import Observed, Status
from workers.targets.session import Interrupted, Limits, Outcome, Session

WORLD = World(processes=3, pages=8, mergeable=4, file=2, huge=6, frames=120, slots=128, memcgs=2, batch=15)
# A word that no op of a guest has: direct I/O, which userspace does not drive repeatably.
_UNKNOWN = encode_op(Op("pin", (0, 0)))
_ENOSYS = 38
MANY = 1000
# What may be missing after many traces: caches of the kernel, which it keeps until it needs the memory.
_MOST_GROWTH_KB = 16_384
_SILENCE_SECONDS = 10.0

EVERY_OP: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("write", (0, 0, 1)), ("madv_pageout", (0, 0)), ("read", (0, 0)), ("gup_write", (0, 1, 2)), ("gup_read", (0, 1)),
    ("madv_free", (0, 1)), ("madv_cold", (0, 0)), ("migrate", (0, 0)), ("madv_dontneed", (0, 0)),
    ("write", (0, 2, 101)), ("write", (0, 3, 101)), ("mergeable", (0, 2)), ("ksm_scan", ()), ("unmergeable", (0, 3)),
    ("mlock", (0, 4)), ("munlock", (0, 4)), ("mprotect_ro", (0, 4)), ("mprotect_rw", (0, 4)), ("mremap", (0, 4)),
    ("write", (0, 8, 3)), ("punch", (0, 8)), ("write", (0, 9, 4)), ("truncate", (0, 9)), ("drain", (0,)),
    ("clear_soft_dirty", (0,)), ("write", (0, 12, 5)), ("collapse", (0, 12)), ("split", (0, 12)),
    ("fork", (0,)), ("memcg_attach", (1, 1)), ("write", (1, 5, 6)), ("memcg_reclaim", (1,)), ("reclaim", ()),
    ("swapoff_on", ()), ("swapoff", ()), ("swapon", ()), ("exit", (1,)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One check: whether it passed, how long it took in seconds, and what was seen."""

    name: str
    passed: bool
    seconds: float
    seen: str


def check_target(make: Callable[[Limits], Session], many: int = MANY) -> Iterator[Check]:
    """Run the suite on sessions of the target, each check as it is done."""
    with make(Limits()) as session:
        for name, check in _CHECKS.items():
            yield _run(name, lambda check=check: check(session))  # type: ignore[misc]
        yield _run(f"{many} traces leave nothing behind", lambda: _many(session, many))
    with make(Limits(trace_seconds=_SILENCE_SECONDS)) as session:
        yield _run("a hang is noticed", lambda: _hang(session))
        yield _run("a new guest after the hang", lambda: _store_and_load(session))


def _run(name: str, check: Callable[[], str]) -> Check:
    started = time.monotonic()
    try:
        seen, passed = check(), True
    except (AssertionError, TargetError) as error:
        seen, passed = str(error), False
    return Check(name, passed, time.monotonic() - started, seen)


def _boot(session: Session) -> str:
    ready = session.start()
    lacks = "; ".join(f"no {op}: {reason}" for op, reason in ready.lacks.items())
    return f"{ready.release}, {ready.nodes} nodes, swap on {ready.swap}{f', {lacks}' if lacks else ''}"


def _execute(session: Session, *traces: tuple[tuple[str, tuple[int, ...]], ...]) -> list[Outcome]:
    words = tuple(tuple(encode_op(Op(name, args)) for name, args in trace) for trace in traces)
    return session.execute(Batch(WORLD, words, 0))


def _observed(outcome: Outcome) -> Observed:
    assert isinstance(outcome, Observed), outcome.reason
    assert outcome.status == Status.DONE, f"the guest gave the trace up: {outcome.status.name.lower()}"
    assert outcome.clean, "something of the trace was left behind"
    return outcome


def _store_and_load(session: Session) -> str:
    (outcome,) = _execute(session, (("write", (0, 0, 7)), ("madv_pageout", (0, 0)), ("read", (0, 0))))
    assert _observed(outcome).results[2][:2] == (0, 7), f"a load gave {outcome}"
    return "a token came back from swap"


def _every_op(session: Session) -> str:
    lacks = session.start().lacks
    ops = tuple(each for each in EVERY_OP if each[0] not in lacks)
    (outcome,) = _execute(session, ops)
    results = _observed(outcome).results
    failed = [f"{ops[at][0]} (errno {result[0]})" for at, result in enumerate(results) if result[0]]
    assert not failed, f"failed: {', '.join(failed)}"
    missing = DRIVEN_OPS - {name for name, _ in EVERY_OP}
    assert not missing, f"not tried: {', '.join(sorted(missing))}"
    return f"{len({name for name, _ in ops})} ops"


def _same_twice(session: Session) -> str:
    ops = tuple(each for each in EVERY_OP if each[0] not in session.start().lacks and each[0] != "memcg_reclaim")
    first, _, second = _execute(session, ops, ops[:9], ops)
    one, two = _observed(first), _observed(second)
    differing = [ops[at][0] for at in range(len(ops)) if one.states[at] != two.states[at] and ops[at][0] != "reclaim"]
    assert one.results == two.results, "the results differ"
    assert one.final == two.final, "the values read at the end differ"
    assert not differing, f"pages differ first after {differing[0]}"
    return f"every page equal after each of {len(ops)} ops"


def _unknown_op(session: Session) -> str:
    (outcome,) = session.execute(Batch(WORLD, ((_UNKNOWN, encode_op(Op("write", (0, 0, 1)))),), 0))
    results = _observed(outcome).results
    assert results[0][0] == _ENOSYS, f"an op that cannot be driven gave errno {results[0][0]}"
    assert results[1][0] == 0, "the op behind it was not run"
    return "told as ENOSYS, and the trace goes on"


def _bad_frames(session: Session) -> str:
    session.send_raw(b"no frame at all" * 10)
    assert session.ping(b"still there") == b"still there", "another answer than was asked for"
    return "garbage is passed over"


def _killed(session: Session) -> str:
    session.start()
    killer = threading.Timer(0.5, os.kill, (session.pid, signal.SIGKILL))
    killer.start()
    traces = [EVERY_OP[:20]] * 60
    outcomes = _execute(session, *traces)
    killer.cancel()
    lost = [each for each in outcomes if isinstance(each, Interrupted)]
    assert len(outcomes) == len(traces), f"{len(outcomes)} outcomes for {len(traces)} traces"
    assert len(lost) == 1, f"{len(lost)} traces lost, for one guest"
    assert lost[0].trouble is None, "taken for a failure of the kernel"
    return "one trace unknown, the others run in a new guest"


def _panic(session: Session) -> str:
    session.start()
    lost = session.provoke(("/init", "panic"))
    assert lost.trouble is not None, f"no report found on the console: {lost.reason}"
    return f"{lost.trouble.kind}: {lost.trouble.line[:80]}"


def _garbage(session: Session) -> str:
    session.start()
    lost = session.provoke(("/init", "garbage", "/dev/ttyS1"))
    assert lost.trouble is None, "taken for a failure of the kernel"
    return lost.reason[:80]


def _hang(session: Session) -> str:
    session.start()
    lost = session.provoke(("/init", "hang"))
    return lost.reason[:100]


def _many(session: Session, number: int) -> str:
    session.start()
    ops = tuple(each for each in EVERY_OP if each[0] not in {"swapoff", "swapon", "swapoff_on", "memcg_attach"})
    _execute(session, *[ops] * 50)
    boots, before = session.figures.boots, _available(session)
    for _ in range(number // 50):
        for outcome in _execute(session, *[ops] * 50):
            _observed(outcome)
    gone = before - _available(session)
    assert session.figures.boots == boots, "the guest was started again meanwhile"
    assert gone < _MOST_GROWTH_KB, f"{gone} kB of memory are gone"
    return f"{gone:+} kB of the guest's memory"


def _available(session: Session) -> int:
    status, output = session.run_program(("/init", "memory"), 30.0)
    assert status == 0, f"no figure of memory: {output}"
    return int(output.split()[0])


_CHECKS: dict[str, Callable[[Session], str]] = {
    "a guest comes up": _boot,
    "a store is read back from swap": _store_and_load,
    "every op can be driven": _every_op,
    "the same trace twice shows the same": _same_twice,
    "an op that it does not know": _unknown_op,
    "garbage sent to it": _bad_frames,
    "QEMU killed in the middle of a batch": _killed,
    "a panic is reported": _panic,
    "a new guest after the panic": _store_and_load,
    "garbage from it": _garbage,
    "a new guest after the garbage": _store_and_load,
}
