"""The function from traces to values: run a trace on a kernel, and say what was seen."""

from dataclasses import dataclass
from typing import Any

from simcore.constants import CHECK_COST, CHECK_COUNTS, LOG_ROWS, RESULT_SKIPPED, VPN_SHIFT
from simcore.core import NEEDS, new_machine
from simcore.kernel import Kernel
from simcore.oracles import ORACLES, Oracle, OracleClass
from simcore.oracles.kernel_assertion import BUGS
from simcore.trace import Trace, encode

# How the page of a failure came to be what it was, by the core's ORIGIN_* numbers.
KINDS: tuple[str, ...] = ("untouched", "anon", "cow", "swapin", "swapoff", "migration", "ksm", "file", "huge")
ALL_CHECKS = CHECK_COUNTS | CHECK_COST


@dataclass(frozen=True, slots=True)
class Violation:
    """What one oracle said of a trace: its first report there.

    `kind` is how the page came to be mapped: anon (first touch), cow, swapin, swapoff, migration, ksm, file, huge.
    `at` counts ops from 0; len(ops) stands for the end of the trace. `process` and `page` are -1 where no page is at
    fault.
    """

    oracle: str
    cls: OracleClass
    kind: str
    at: int
    process: int
    page: int
    expected: int
    seen: int
    what: str

    def to_json(self) -> dict[str, object]:
        """As --json gives it and the database keeps it."""
        return {
            "oracle": self.oracle,
            "class": self.cls,
            "kind": self.kind,
            "at": self.at,
            "process": self.process,
            "page": self.page,
            "expected": self.expected,
            "seen": self.seen,
            "what": self.what,
        }


@dataclass(frozen=True, slots=True)
class Observation:
    """What the execution of a trace showed. `rows` has one byte a row of the flat table: 1 where it was used.

    `results` are RESULT_* codes, one an op; ops behind a safety violation are not run and count as skipped.
    `log` has the rows used in each op, in order, and last those of the final reads; empty unless asked for.
    """

    violations: tuple[Violation, ...]
    rows: bytes
    results: tuple[int, ...]
    digest: str
    log: tuple[tuple[int, ...], ...]

    @property
    def failed(self) -> bool:
        """Whether any oracle spoke."""
        return bool(self.violations)


def run_trace(
    trace: Trace, kernel: Kernel, *, check: bool = True, log: bool = False, compiled: bool | None = None
) -> Observation:
    """Run the trace on the kernel. `check` adds the count identities and the cost oracles after every op."""
    machine = prepare(new_machine(compiled), trace, kernel, check=check, log=log)
    return observe(machine, encode(trace), log=log)


def prepare(machine: Any, trace: Trace, kernel: Kernel, *, check: bool = True, log: bool = False) -> Any:
    """The machine at the start of the trace."""
    machine.load_kernel(kernel.rows)
    machine.set_world(trace.world.encode(), NEEDS)
    machine.clear_covered()
    machine.start((ALL_CHECKS if check else 0) | (LOG_ROWS if log else 0))
    return machine


def observe(machine: Any, words: Any, *, log: bool = False) -> Observation:
    """Run the words on a prepared machine to the end of the trace."""
    results = []
    rows_in_order = []
    for word in words:
        results.append(RESULT_SKIPPED if machine.stopped() else machine.op(word))
        if log:
            rows_in_order.append(tuple(machine.take_log()))
    machine.finish()
    if log:
        rows_in_order.append(tuple(machine.take_log()))
    return Observation(
        violations=violations_of(machine),
        rows=machine.covered(),
        results=tuple(results),
        digest=f"out-{machine.outcome():016x}",
        log=tuple(rows_in_order),
    )


def violations_of(machine: Any) -> tuple[Violation, ...]:
    """What the oracles have said on this machine, in the order of their codes."""
    mask = machine.failed()
    return tuple(violation(oracle, *machine.failure(oracle.code)) for oracle in ORACLES if mask >> oracle.code & 1)


def violation(oracle: Oracle, at: int, ptep: int, origin: int, expected: int, seen: int) -> Violation:
    """An oracle's report in words."""
    process, page = (ptep >> VPN_SHIFT, ptep & (1 << VPN_SHIFT) - 1) if ptep >= 0 else (-1, -1)
    what = oracle.what.format(
        page=f"P{process} page {page}" if ptep >= 0 else "a page",
        expected=_content(expected),
        seen=seen if ptep < 0 else _content(seen),
        bug=BUGS.get(seen, f"assertion {seen}"),
        object=f"frame or slot {seen}",
    )
    kind = KINDS[origin] if ptep >= 0 else "kernel"
    return Violation(oracle.name, oracle.cls, kind, at, process, page, expected, seen, what)


def _content(token: int) -> str:
    return {0: "zeros", 255: "bytes nobody stored"}.get(token, f"token {token}")
