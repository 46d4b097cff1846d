"""A class of disagreements as a failure: two traces, what differs in words, and all that a replay needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from fuzzer.conform import ORACLE
from fuzzer.conform.classes import SMAPS_PREFIX, change_words, page_name
from fuzzer.conform.compare import Disagreement
from fuzzer.conform.comparison import DisagreementClass, Example
from fuzzer.conform.errors import ConformError
from fuzzer.conform.observables import OBSERVABLE_BY_NAME, SMAPS_NAMES, difference
from fuzzer.conform.reading import Reading
from fuzzer.conform.replay import Move, Step, moves, prepare, read_op, run_step, trace_op
from fuzzer.conform.shorten import Shortener
from fuzzer.signature import failure_id, plain_signature
from simcore.core import new_machine
from simcore.kernel import Kernel
from simcore.trace import Trace
from simcore.trace_op import encode_op

RERUN = "ops left out one by one, on the real kernel and in the simulator"
NOT_RERUN = "ops that do not touch the page, in the simulator alone; the shortened trace was not run on the real kernel"


@dataclass(frozen=True, slots=True)
class Finding:
    """A class of disagreements with its shortened trace, to be kept as a failure.

    `violation` has what an oracle's has, and besides: the reading (`file`, `reading`, `version`), the integers or
    numbers of both sides (`simulated`, `real`), and per op of both traces what reclaim is to do (`follow`,
    `follow_original`). `kind` is the observable, `seed` the reading's number.
    """

    id: str
    signature: str
    kind: str
    original: Trace
    minimized: Trace
    reason: str
    violation: dict[str, object]
    minimization: dict[str, object]
    options: dict[str, object]
    count: int
    seed: int


class Follow(msgspec.Struct, frozen=True):
    """What reclaim is to do in one op: FOLLOW_* codes by ptep, and whether batches are drained meanwhile."""

    choices: tuple[int, ...]
    drains: bool


@dataclass(frozen=True, slots=True)
class Now:
    """What the simulator shows in a stored disagreement's trace today, and whether it still disagrees."""

    simulated: int
    differs: bool
    reason: str


def make_finding(each: DisagreementClass, kernel: Kernel) -> Finding:
    """The finding of a class; shortens its example's trace."""
    example = each.example
    reading = example.reading
    kept, minimization = _shorten(example, kernel)
    signature = plain_signature([ORACLE, each.version, each.key.id])
    return Finding(
        failure_id(signature, kernel.digest),
        signature,
        example.found.observable,
        _trace(example, kernel, range(len(reading.ops))),
        _trace(example, kernel, kept),
        reason_of(example.found, reading, each.version),
        _violation(each, kept),
        minimization,
        {"file": example.path.name, "reading": reading.id, "line": example.line, "class": each.key.id},
        each.first - each.explained,
        reading.id,
    )


def _shorten(example: Example, kernel: Kernel) -> tuple[Sequence[int], dict[str, object]]:
    """The ops to keep, and how that was found out."""
    if example.executions:
        kept = range(len(example.reading.ops))
        return kept, {"executions": example.executions, "tried": [RERUN], "rerun_on_real_kernel": True}
    shortened = Shortener(new_machine(), kernel.rows, example.world).shorten(example.reading, example.found)
    return shortened.kept, {
        "executions": shortened.executions,
        "tried": [NOT_RERUN],
        "rerun_on_real_kernel": False,
    }


def reason_of(found: Disagreement, reading: Reading, version: str) -> str:
    """The disagreement in one sentence."""
    simulated, real = change_words(found, reading)
    where = f"of {reading.ops[found.at][0]}" if found.at < len(reading.ops) else "read at the end"
    if found.observable in ("errno", "value"):
        what = f"{found.observable} {where} of {page_name(found.process, found.page)}"
    else:
        what = f"{found.observable} of {page_name(found.process, found.page)}"
    return f"{what}: {simulated} in the simulator, {real} in Linux {version}"


def replay_finding(violation: Mapping[str, object], trace: Trace, kernel: Kernel, *, original: bool = False) -> Now:
    """Run a stored disagreement's trace as it was run, and look at the same place again.

    ConformError when what is stored does not say enough.
    """
    follow = _stored_follow(violation, "follow_original" if original else "follow", len(trace.ops))
    at = _number(violation, "at_original" if original else "at")
    machine = new_machine()
    prepare(machine, kernel.rows, trace.world)
    shown = [
        run_step(machine, read_op(op), _move(encode_op(op), each), smaps=True)
        for op, each in zip(trace.ops, follow, strict=True)
    ]
    simulated = _look(violation, shown[at] if at < len(shown) else None, shown, machine.final_values())
    differs = still_differs(str(violation["kind"]), simulated, _number(violation, "real"))
    said = f"as stored: {violation['what']}" if differs else f"the simulator agrees now; it was {violation['what']}"
    return Now(simulated, differs, said)


def still_differs(observable: str, simulated: int, real: int) -> bool:
    """Whether two sides differ in an observable; what they are is said in Disagreement."""
    if observable in OBSERVABLE_BY_NAME:
        return difference(simulated, real, OBSERVABLE_BY_NAME[observable].mask) != 0
    if observable.startswith(SMAPS_PREFIX):
        return (simulated ^ real) >> SMAPS_NAMES.index(observable.removeprefix(SMAPS_PREFIX)) & 1 != 0
    return simulated != real


def _trace(example: Example, kernel: Kernel, kept: Sequence[int]) -> Trace:
    return Trace(kernel.name, example.world, tuple(trace_op(example.reading.ops[at]) for at in kept))


def _violation(each: DisagreementClass, kept: Sequence[int]) -> dict[str, object]:
    example = each.example
    found, reading = example.found, example.reading
    all_moves = tuple(moves(reading))
    expected, seen = found.real, found.simulated
    return {
        "oracle": ORACLE,
        "class": ORACLE,
        "kind": found.observable,
        "at": len(kept) - (found.at < len(reading.ops)),
        "at_original": found.at,
        "process": found.process,
        "page": found.page,
        "expected": expected,
        "seen": seen,
        "what": reason_of(found, reading, each.version),
        "simulated": found.simulated,
        "real": found.real,
        "version": each.version,
        "file": example.path.name,
        "reading": reading.id,
        "disagreement": each.key.id,
        "follow": [_follow(all_moves[at]) for at in kept],
        "follow_original": [_follow(move) for move in all_moves],
    }


def _follow(move: Move) -> dict[str, object] | None:
    return None if move.choices is None else {"choices": list(move.choices), "drains": move.drains}


def _move(word: int, follow: Follow | None) -> Move:
    return Move(word) if follow is None else Move(word, follow.choices, follow.drains)


def _stored_follow(violation: Mapping[str, object], name: str, ops: int) -> tuple[Follow | None, ...]:
    try:
        follow = msgspec.convert(violation.get(name), tuple[Follow | None, ...])
    except msgspec.ValidationError as error:
        raise ConformError(f"the stored {name} is not what reclaim did in each op: {error}") from error
    if len(follow) != ops:
        raise ConformError(f"the stored {name} has {len(follow)} entries for {ops} ops; there is one for each")
    return follow


def _number(violation: Mapping[str, object], name: str) -> int:
    value = violation.get(name)
    if not isinstance(value, int):
        raise ConformError(f"the stored disagreement has {name}={value!r}; it is a number")
    return value


def _look(violation: Mapping[str, object], step: Step | None, shown: Sequence[Step], final: Sequence[int]) -> int:
    """The simulator's side: of the op at fault, or of what is read at the end."""
    kind = str(violation["kind"])
    process, page = _number(violation, "process"), _number(violation, "page")
    if step is None:
        last = shown[-1].states if shown else [[]]
        place = sum(len(row) for row in last[:process]) + page
        return final[place] if place < len(final) else -1
    if kind in ("errno", "value"):
        return step.errno if kind == "errno" else step.value
    rows = step.smaps if kind.startswith(SMAPS_PREFIX) else step.states
    alive = process < len(rows) and page < len(rows[process])
    if kind == "alive":
        return int(alive)
    return rows[process][page] if alive else 0
