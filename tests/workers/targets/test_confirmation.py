"""Verdicts on a trace from what guests showed; the guests here only say what a test wants."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from simcore.trace import Trace, parse_trace
from workers.targets.confirmation import Confirmation, Expected, Plan, confirm
from workers.targets.console import Trouble
from workers.targets.errors import LostGuestError
from workers.targets.messages import Batch, Ready
from workers.targets.observed import Observed, Result, Status
from workers.targets.session import Interrupted, Outcome, Session

LOST = Expected("lost-store", "safety")
BUG = Trouble("bug", "kernel BUG at mm/rmap.c:1!", "page_remove_rmap", "before\nkernel BUG at mm/rmap.c:1!\nafter")


@dataclass
class Guests:
    """A session whose guests say of each trace what `answer` says; only so many come up."""

    answer: Callable[[Batch], Outcome]
    lacks: dict[str, str] = field(default_factory=dict)
    come_up: int = 1000
    is_up: bool = False
    boots: int = 0
    batches: list[Batch] = field(default_factory=list)

    def start(self) -> Ready:
        """Come up, unless so many have."""
        if not self.is_up:
            if self.boots == self.come_up:
                raise LostGuestError("the guest did not come up within 120 s")
            self.boots += 1
            self.is_up = True
        return Ready("6.1.0", "#1", "table", 2, "zram0", self.lacks)

    def stop(self) -> None:
        """End."""
        self.is_up = False

    def execute(self, batch: Batch) -> list[Outcome]:
        """Answer for the one trace of a batch."""
        self.start()
        self.batches.append(batch)
        return [self.answer(batch)]


def trace(*ops: str) -> Trace:
    header = ["mmfuzz trace 1", "kernel linux-6.1", "world processes=2 pages=1 mergeable=0"]
    return parse_trace("\n".join([*header, *ops]) + "\n")


STORE = trace("write 0 0 7", "reclaim", "read 0 0")


def showing(value: int, drained_value: int | None = None) -> Callable[[Batch], Outcome]:
    """Loads show the value, or another one where the trace was drained; every op ends well."""

    def answer(batch: Batch) -> Outcome:
        ops = len(batch.traces[0])
        shown = value if drained_value is None or ops == len(STORE.ops) else drained_value
        results: list[Result] = [(0, 0, 0, 0)] * ops
        results[-1] = (0, shown, 0, 0)
        return Observed(Status.DONE, True, tuple(results), (1,) * ops, (), (), (), ((shown,),))

    return answer


def run(guests: Guests, expected: Expected = LOST, given: Trace = STORE, plan: Plan | None = None) -> Confirmation:
    found = confirm(cast(Session, guests), given, expected, plan or Plan(runs=4, guests=2))
    assert not guests.is_up
    return found


def test_a_wrong_value_in_every_run_confirms_and_one_form_is_enough() -> None:
    guests = Guests(showing(0))
    found = run(guests)
    assert (found.verdict, found.same, found.failed_form) == ("confirmed", True, "as it is")
    assert (found.rate.failed, found.rate.runs, found.unknown) == (8, 8, 0)
    assert "the store of token 7 is lost, in `read 0 0`" in found.reason
    assert (guests.boots, len(found.tried)) == (2, 1)


def test_what_fails_only_when_drained_is_confirmed_and_both_forms_are_told() -> None:
    found = run(Guests(showing(7, drained_value=0)))
    assert (found.verdict, found.failed_form, str(found.rate)) == ("confirmed", "drained", "8 of 8 (68% to 100%)")
    assert [each.rate.failed for each in found.tried] == [0, 8]


def test_right_values_in_both_forms_do_not_confirm() -> None:
    guests = Guests(showing(7))
    found = run(guests)
    assert (found.verdict, found.failed_form, found.rate.runs) == ("not confirmed", None, 16)
    assert guests.boots == 4


def test_another_violation_is_confirmed_and_named() -> None:
    found = run(Guests(showing(0)), Expected("stale-value", "safety"))
    assert (found.verdict, found.same) == ("confirmed", False)
    assert found.reason.startswith("another violation, lost-store instead of stale-value")
    any_violation = run(Guests(showing(0)), Expected())
    assert (any_violation.verdict, "another" in any_violation.reason) == ("confirmed", False)


def test_a_report_of_the_kernels_own_confirms_with_its_line() -> None:
    found = run(Guests(lambda _: Interrupted(BUG.line, BUG, BUG.excerpt)), Expected("needless-write", "cost"))
    assert found.verdict == "confirmed"
    assert found.reason == "the kernel's own report: kernel BUG at mm/rmap.c:1!"
    assert found.tried[0].ways == {"bug page_remove_rmap": 8}


def test_a_report_that_was_seen_before_is_the_same_by_kind_and_place() -> None:
    guests = Guests(lambda _: Interrupted(BUG.line, BUG, BUG.excerpt))
    for place, same in (("page_remove_rmap", True), ("shrink_page_list", False)):
        found = run(guests, Expected("kernel-report", "crash", f"bug {place}"))
        assert (found.verdict, found.same) == ("confirmed", same)
    # A kernel that reports nothing has been asked, and has answered.
    assert (
        run(Guests(showing(7)), Expected("kernel-report", "crash", "bug shrink_page_list")).verdict == "not confirmed"
    )


@pytest.mark.parametrize(
    "expected",
    [
        Expected("needless-write", "cost"),
        Expected("stuck-fault", "liveness"),
        Expected("conformance", "conformance"),
        Expected("count-identity", "safety"),
    ],
    ids=lambda each: each.oracle,
)
def test_right_values_say_nothing_of_what_no_value_shows(expected: Expected) -> None:
    found = run(Guests(showing(7)), expected)
    assert found.verdict == "cannot be judged"
    assert found.reason.startswith(f"not visible in values: {expected.oracle} is of the class {expected.cls}")
    # A wrong value is one, whatever the simulator saw.
    assert run(Guests(showing(0)), expected).verdict == "confirmed"


def test_lost_guests_are_unknown_and_count_neither_way() -> None:
    lost = Interrupted("the guest did not execute trace 0 of its batch within 60 s", None, "")
    number = 0

    def every_second(batch: Batch) -> Outcome:
        nonlocal number
        number += 1
        return lost if number % 2 else showing(0)(batch)

    found = run(Guests(every_second))
    assert (found.verdict, found.rate.failed, found.rate.runs, found.unknown) == ("confirmed", 4, 4, 4)
    found = run(Guests(lambda _: lost))
    assert (found.verdict, found.rate.runs, found.unknown) == ("unknown", 0, 8)
    assert "did not execute trace 0" in found.reason


def test_a_trace_that_does_not_come_to_its_end_is_unknown() -> None:
    stuck = Observed(Status.STUCK, False, (), (), (), (), (), ())
    guests = Guests(lambda _: stuck)
    assert run(guests, Expected("stuck-swapoff", "liveness")).verdict == "unknown"
    # Each run may have cost a guest: the second one, and the second form, are not tried.
    assert len(guests.batches) == 4


def test_a_guest_that_does_not_come_up_leaves_what_was_seen_before() -> None:
    found = run(Guests(showing(0), come_up=1))
    assert (found.verdict, found.rate.failed, found.rate.runs, found.unknown) == ("confirmed", 4, 4, 4)
    found = run(Guests(showing(0), come_up=0))
    assert (found.verdict, found.reason, found.tried) == ("unknown", "the guest did not come up within 120 s", ())


@pytest.mark.parametrize(
    ("ops", "said"),
    [
        (["write 0 0 1", "begin reclaim"], "op 2, `begin reclaim`: a path cannot be begun"),
        (["write 0 0 1", "pin 0 0"], "op 2, `pin 0 0`: no system call does it repeatably"),
        ([], "the trace has no ops"),
    ],
)
def test_what_cannot_be_driven_is_told_without_a_guest(ops: list[str], said: str) -> None:
    guests = Guests(showing(0))
    found = run(guests, given=trace(*ops))
    assert (found.verdict, found.tried, guests.boots) == ("cannot be driven", (), 0)
    assert found.reason.startswith(said)


def test_what_the_guest_lacks_cannot_be_driven() -> None:
    found = run(Guests(showing(0), lacks={"migrate": "one NUMA node"}), given=trace("write 0 0 1", "migrate 0 0"))
    assert (found.verdict, found.tried) == ("cannot be driven", ())
    assert found.reason == "op 2, `migrate 0 0`: this target cannot: one NUMA node"
