"""A trace step by step: what each op changed, which rows decided it, and where it went wrong."""

from collections.abc import Iterator
from dataclasses import dataclass

from simcore import describe
from simcore.constants import ZEROS
from simcore.core import new_machine
from simcore.kernel import Kernel
from simcore.oracles import ORACLE_BY_NAME
from simcore.rules import rule_of_row
from simcore.run import Violation, prepare, violations_of
from simcore.snapshot import Snapshot, broken_promises, contents_behind, guards, take_snapshot
from simcore.trace import Trace, encode

RESULTS: tuple[str, ...] = (
    "",
    "skipped: it does not apply",
    "waits: another path holds what it needs",
    "EINVAL",
    "ENOMEM",
    "EAGAIN",
    "EFAULT",
    "ENOENT",
    "SIGBUS",
    "EBUSY",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A row used in a step: the kernel's function, the row as a call, the answer, its source, the reference's answer.

    `reference_answer` is None where the reference agrees, or there is none.
    """

    function: str
    call: str
    answer: bool
    source: str
    reference_answer: bool | None


@dataclass(frozen=True, slots=True)
class Step:
    """One op, or the end of the trace (`op` is then "end"). `moment` says what went wrong here first.

    `snapshot` is the machine after the step.
    """

    number: int
    op: str
    result: str
    changes: tuple[str, ...]
    decisions: tuple[Decision, ...]
    moment: str | None
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Explanation:
    """The account of a trace on a kernel. `reference` is the kernel that answers are compared with, if any."""

    kernel: str
    reference: str | None
    world: str
    steps: tuple[Step, ...]
    violations: tuple[Violation, ...]


def explain(
    trace: Trace, kernel: Kernel, reference: Kernel | None = None, *, compiled: bool | None = None
) -> Explanation:
    """Run the trace and account for every step of it."""
    machine = prepare(new_machine(compiled), trace, kernel, log=True)
    before = take_snapshot(machine)
    broken = set(broken_promises(before))
    steps = []
    for number, (op, word) in enumerate(zip(trace.ops, encode(trace), strict=True), start=1):
        if machine.stopped():
            steps.append(Step(number, str(op), "not run: the trace has failed", (), (), None, before))
            continue
        failed = machine.failed()
        result = machine.op(word)
        after = take_snapshot(machine)
        spoken = _spoken(violations_of(machine), machine.failed() & ~failed)
        moment = spoken or _moment(after, broken)
        broken |= set(broken_promises(after))
        decisions = _decisions(machine.take_log(), kernel, reference)
        steps.append(Step(number, str(op), RESULTS[result], tuple(_changes(before, after)), decisions, moment, after))
        before = after
    failed = machine.failed()
    machine.finish()
    spoken = _spoken(violations_of(machine), machine.failed() & ~failed)
    after = take_snapshot(machine)
    end = tuple(_changes(before, after))
    decisions = _decisions(machine.take_log(), kernel, reference)
    steps.append(Step(len(trace.ops) + 1, "end", "", end, decisions, spoken, after))
    return Explanation(
        kernel.name,
        reference.name if reference else None,
        str(trace.world),
        tuple(steps),
        violations_of(machine),
    )


def _changes(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """What is different between two moments, a line each: ptes, then frames, then slots."""
    for (process, page), pte in after.ptes.items():
        old = before.ptes.get((process, page), 0)
        if pte != old:
            yield f"P{process} page {page}: {describe.pte_name(old)} -> {describe.pte_name(pte)}"
    for pfn, (page_before, page_after) in enumerate(zip(before.pages, after.pages, strict=True)):
        line = describe.page_change(pfn, page_before, page_after)
        if line:
            yield line
    for slot, (slot_before, slot_after) in enumerate(zip(before.slots, after.slots, strict=True)):
        line = describe.slot_change(slot, slot_before, slot_after)
        if line:
            yield line


def _decisions(log: list[int], kernel: Kernel, reference: Kernel | None) -> tuple[Decision, ...]:
    """The rows used, each once, in the order of first use."""
    sources = dict(kernel.sources)
    found = []
    for flat_row in dict.fromkeys(log):
        rule, row = rule_of_row(flat_row)
        answer = bool(kernel.rows[flat_row])
        other = bool(reference.rows[flat_row]) if reference else answer
        found.append(
            Decision(
                rule.where.split()[-1],
                describe.row_name(rule, row),
                answer,
                sources.get(rule.name, rule.where),
                other if other != answer else None,
            )
        )
    return tuple(found)


def _moment(after: Snapshot, broken: set[tuple[int, int]]) -> str | None:
    """The page whose contents this step lost, in words; None if it lost none."""
    for where in broken_promises(after):
        if where in broken:
            continue
        expected = after.expected[where].token
        seen = contents_behind(after, where)
        return (
            f"P{where[0]} page {where[1]} was last given {describe.content_name(expected)}; from here on a load"
            f" finds {describe.content_name(seen)}"
        )
    return None


def _spoken(violations: tuple[Violation, ...], mask: int) -> str | None:
    """What the oracles of a mask said."""
    said = [v for v in violations if mask >> ORACLE_BY_NAME[v.oracle].code & 1]
    return "; ".join(f"{v.oracle} ({v.cls}): {v.what}" for v in said) or None


def victims(explanation: Explanation) -> tuple[tuple[int, int], ...]:
    """The pages that the oracles name, as (process, page)."""
    return tuple(dict.fromkeys((v.process, v.page) for v in explanation.violations if v.process >= 0))


def format_explanation(explanation: Explanation) -> str:
    """The account as plain text, for a terminal or a mail: the verdict, each victim's life, then every step."""
    lines = [f"kernel  {explanation.kernel}", f"world   {explanation.world}", ""]
    lines += [f"{v.oracle} ({v.cls}, {v.kind}): {v.what}" for v in explanation.violations]
    if not explanation.violations:
        lines.append("no oracle has anything to say")
    for victim in victims(explanation):
        lines += ["", *_life_lines(explanation, victim)]
    lines += ["", f"step by step ({describe.LEGEND})"]
    for step in explanation.steps:
        lines += ["", *_step_lines(step, explanation)]
    return "\n".join(lines) + "\n"


def _life_lines(explanation: Explanation, victim: tuple[int, int]) -> Iterator[str]:
    """After each op: where the victim's contents are, and what guards them."""
    yield f"the life of P{victim[0]} page {victim[1]}"
    for step in explanation.steps[:-1]:
        if victim not in step.snapshot.ptes:
            continue
        place = describe.pte_name(step.snapshot.ptes[victim])
        expected = step.snapshot.expected[victim]
        what = describe.content_name(expected.token) + (" or zeros" if expected.zeros_allowed else "")
        yield f"{step.number:3}  {step.op:<24} {place:<32} {what}: {_guard_words(step, victim)}"


def _guard_words(step: Step, victim: tuple[int, int]) -> str:
    snapshot = step.snapshot
    expected = snapshot.expected[victim]
    if victim in broken_promises(snapshot):
        return "LOST"
    if expected.token == ZEROS:
        return "nothing to guard"
    return "guarded by " + (" and ".join(guards(snapshot, victim)) or "nothing")


def _end_title(step: Step) -> str:
    """What the end of the trace did: memory pressure is tried only where a discard is still owed."""
    pressure = any(decision.function == "page_check_references()" for decision in step.decisions)
    return "the end: every path finishes, every page is read" + (", memory pressure is tried" if pressure else "")


def _step_lines(step: Step, explanation: Explanation) -> Iterator[str]:
    title = _end_title(step) if step.op == "end" else step.op
    yield f"{step.number:3}  {title}" + (f"    [{step.result}]" if step.result else "")
    for decision in step.decisions:
        yield f"       ? {decision.function}: {decision.call} = {'yes' if decision.answer else 'no'}"
        if decision.reference_answer is not None:
            answer = "YES" if decision.reference_answer else "NO"
            yield f"         {explanation.reference} SAYS {answer}. This kernel: {decision.source}"
    for change in step.changes:
        yield f"       {change}"
    if step.moment:
        yield f"   >>> {step.moment}"
