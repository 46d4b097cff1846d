"""Whether a real kernel fails as the simulator says: one trace, run again and again in fresh guests.

What counts is a wrong value, or trouble that the kernel itself reports. A guest that was lost in another way says
nothing, and neither does a trace without a wrong value of a failure that no value shows.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from fuzzer.real.drivable import drivable_ops, find_obstacle
from fuzzer.real.forms import FORMS, SEEN_BY_LOADS, Form, make_form
from simcore.trace import Trace
from workers.targets.errors import ChannelError, LostGuestError
from workers.targets.execution import Executor, Judged, Rate
from workers.targets.session import Session

Verdict = Literal["confirmed", "not confirmed", "cannot be judged", "cannot be driven", "unknown"]
# The first that a target gave is what is said of several.
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What was seen before: the oracle and its class, empty where nothing was and any violation is one.

    Of a kernel's own report (class crash), `report` is the kind and place by which such reports are told apart.
    """

    oracle: str = ""
    cls: str = ""
    report: str = ""

    @property
    def is_visible(self) -> bool:
        """Whether it would be seen here: by what loads return, or on the console."""
        return not self.oracle or self.oracle in SEEN_BY_LOADS or self.cls == "crash"

    def rank(self, judged: Judged) -> int:
        """What tells most comes first: the same failure, the kernel's own report, another violation."""
        if self.is_same(judged):
            return 0
        return 1 if judged.trouble else 2

    def is_same(self, judged: Judged) -> bool:
        """Whether it is the failure that was seen before."""
        return judged.key == (self.report or self.oracle)


@dataclass(frozen=True, slots=True)
class Plan:
    """How often a trace is run: so many times in each of so many fresh guests, in each form."""

    runs: int = 10
    guests: int = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one form. `ways` counts the failing runs by their key; `seen` is the one that is told, if any."""

    form: Form
    trace: Trace
    runs: int
    unknown: int
    ways: Mapping[str, int]
    seen: Judged | None
    why_unknown: str

    @property
    def rate(self) -> Rate:
        """How many of the runs of which anything is known failed in the way that is told."""
        failed = self.ways[self.seen.key] if self.seen and self.seen.key else 0
        return Rate(failed, self.runs - self.unknown)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The verdict on a trace on one kernel with one swap device, why, and what was tried. `same`: as was expected."""

    verdict: Verdict
    reason: str
    tried: tuple[Tried, ...] = ()
    same: bool = False

    @property
    def failed_form(self) -> Form | None:
        """The form that failed, None where none did."""
        return self.tried[-1].form if self.verdict == "confirmed" else None

    @property
    def rate(self) -> Rate:
        """Of the form that failed; where none did, of all runs of which anything is known."""
        if self.verdict == "confirmed":
            return self.tried[-1].rate
        return Rate(0, sum(each.rate.runs for each in self.tried))

    @property
    def unknown(self) -> int:
        """Runs of which nothing is known, beside those of the rate."""
        return self.tried[-1].unknown if self.verdict == "confirmed" else sum(each.unknown for each in self.tried)


def confirm(
    session: Session, trace: Trace, expected: Expected, plan: Plan, note: Callable[[str], None] = lambda _: None
) -> Confirmation:
    """Run the trace on a session that has no guest yet; the session is left without one.

    The second form is tried where the first does not fail. TargetError when nothing can be started at all.
    """
    why_not = describe_obstacle(trace)
    if why_not:
        return Confirmation("cannot be driven", why_not)
    try:
        lacks = session.start().lacks
    except (LostGuestError, ChannelError) as error:
        return Confirmation("unknown", str(error))
    obstacle = find_obstacle(trace, lacks)
    if obstacle:
        session.stop()
        return Confirmation("cannot be driven", str(obstacle))
    tried: list[Tried] = []
    for form in FORMS:
        tried.append(_try(session, make_form(trace, form), form, expected, plan, note))
        # Where nothing is known of one form nothing would be of the next, and each run may cost a guest.
        if tried[-1].seen or tried[-1].unknown == tried[-1].runs:
            break
    return _conclude(tuple(tried), expected)


def describe_obstacle(trace: Trace) -> str:
    """Why no guest can be driven through the trace; nothing if one may."""
    obstacle = find_obstacle(trace)
    if obstacle:
        return str(obstacle)
    return "" if trace.ops else "the trace has no ops"


def _try(
    session: Session, trace: Trace, form: Form, expected: Expected, plan: Plan, note: Callable[[str], None]
) -> Tried:
    judged: list[Judged] = []
    for guest in range(plan.guests):
        came_up = _run_guest(session, trace, plan.runs, judged)
        session.stop()
        failed = sum(each.key is not None for each in judged)
        note(f"{form}: {len(judged)} runs in {guest + 1} of {plan.guests} guests, {failed} failed")
        if not came_up or not any(each.known for each in judged):
            break
    all_runs = plan.guests * plan.runs
    failing = sorted((each for each in judged if each.key is not None), key=expected.rank)
    reasons = [each.reason for each in judged if not each.known]
    return Tried(
        form=form,
        trace=trace,
        runs=all_runs,
        unknown=all_runs - sum(each.known for each in judged),
        ways=Counter(each.key for each in failing if each.key is not None),
        seen=failing[0] if failing else None,
        why_unknown=reasons[-1] if reasons else "",
    )


def _run_guest(session: Session, trace: Trace, runs: int, judged: list[Judged]) -> bool:
    """Add what each run in one guest, and in those that take its place, showed; whether a guest came up each time.

    One trace at a time: what was seen before a guest stays away is kept.
    """
    executor = Executor(session)
    for _ in range(runs):
        try:
            judged += executor.run([trace])
        except (LostGuestError, ChannelError) as error:
            judged.append(Judged(known=False, reason=str(error)))
            return False
    return True


def _conclude(tried: Sequence[Tried], expected: Expected) -> Confirmation:
    last = tried[-1]
    if last.seen is not None:
        why = _what_was_seen(last, last.seen, expected)
        return Confirmation("confirmed", why, tuple(tried), expected.is_same(last.seen))
    if not any(each.rate.runs for each in tried):
        return Confirmation("unknown", f"nothing is known of any run: {last.why_unknown}", tuple(tried))
    if not expected.is_visible:
        what = f"{expected.oracle} is of the class {expected.cls}" if expected.cls else expected.oracle
        reason = f"not visible in values: {what}; all values were right, and the kernel reported nothing"
        return Confirmation("cannot be judged", reason, tuple(tried))
    return Confirmation("not confirmed", "all values were right, and the kernel reported nothing", tuple(tried))


def _what_was_seen(tried: Tried, seen: Judged, expected: Expected) -> str:
    """The failure in a sentence, named where it is another than the simulator's."""
    if seen.trouble is not None:
        return f"the kernel's own report: {seen.trouble.line}"
    violation = seen.violation
    assert violation is not None, "what failed is a violation or trouble"
    ops = drivable_ops(tried.trace)
    where = f"in `{ops[violation.at]}`" if violation.at < len(ops) else "at the end of the trace"
    if not expected.oracle or expected.is_same(seen):
        return f"{violation.what}, {where}"
    wanted = expected.report or expected.oracle
    return f"another violation, {violation.oracle} instead of {wanted}: {violation.what}, {where}"
