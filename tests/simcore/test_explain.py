"""What `explain` says of two traces, word for word, and that it names the moment.

The texts lie in golden/. Where a change of the words is meant, write them again and read what changed:

    python tests/simcore/test_explain.py
"""

from pathlib import Path

import pytest

from simcore.explain import Explanation, explain, format_explanation, victims
from simcore.kernel_files import find_kernel
from simcore.trace import parse_trace

GOLDEN = Path(__file__).parent / "golden"
PATCHED = "linux-4.0-rc7-mm1+dirty-on-swapin"
UNPATCHED = "linux-4.0-rc7-mm1"
WORLD = "processes=1 pages=1 frames=4 slots=2 mergeable=0 swap=zram"
# The file, the kernel, the kernel it is compared with, and the ops.
STORIES = {
    "lost-store": (PATCHED, UNPATCHED, "write 0 0 1\nmigrate 0 0\nreclaim"),
    "never-discardable": (UNPATCHED, "linux-4.5", "write 0 0 1\nreclaim\nwrite 0 0 2\nmadv_free 0 0"),
}


def told(story: str, compiled: bool | None = None) -> Explanation:
    """The account of a story."""
    kernel, reference, ops = STORIES[story]
    trace = parse_trace(f"mmfuzz trace 1\nkernel {kernel}\nworld {WORLD}\n{ops}\n")
    return explain(trace, find_kernel(kernel), find_kernel(reference), compiled=compiled)


@pytest.mark.parametrize("story", STORIES)
def test_account_is_the_golden_one(story: str, compiled: bool) -> None:
    golden = GOLDEN / f"{story}.txt"
    assert format_explanation(told(story, compiled)) == golden.read_text("utf-8"), f"see the top of {__file__}"


def test_moment_of_the_lost_store_is_named() -> None:
    explanation = told("lost-store")
    (moment,) = [step for step in explanation.steps[:-1] if step.moment]
    assert (moment.number, moment.op) == (3, "reclaim")
    assert moment.moment == "P0 page 0 was last given token 1; from here on a load finds zeros"
    guilty = [decision for decision in moment.decisions if decision.reference_answer is not None]
    assert [decision.call.partition("(")[0] for decision in guilty] == ["reclaim_freeable", "unmap_discards"]
    assert all("PageDirty taken out" in decision.source for decision in guilty)
    assert victims(explanation) == ((0, 0),)


def test_moment_of_the_page_that_cannot_be_discarded_is_named() -> None:
    explanation = told("never-discardable")
    assert [violation.oracle for violation in explanation.violations] == ["never-discardable"]
    (moment,) = [step for step in explanation.steps if step.moment]
    assert "never-discardable" in (moment.moment or "")
    (asked,) = [decision for decision in explanation.steps[3].decisions if decision.reference_answer is not None]
    assert asked.call == "madv_free_locks_page(swapcache=0 page_dirty=1 ksm=0)"
    assert (asked.answer, asked.reference_answer) == (False, True)


def test_every_step_says_what_changed() -> None:
    for story in STORIES:
        for step in told(story).steps[:-1]:
            assert step.changes, f"{story}: {step.op} changed nothing"
            assert step.decisions, f"{story}: {step.op} asked no rule"


def test_op_that_does_not_apply_says_so() -> None:
    trace = parse_trace(f"mmfuzz trace 1\nkernel linux-4.5\nworld {WORLD}\nfork 0\nmigrate 0 0\nmadv_cold 0 0\n")
    results = [step.result for step in explain(trace, find_kernel("linux-4.5")).steps[:3]]
    assert results == ["skipped: it does not apply", "EFAULT", "EINVAL"]


def test_ops_behind_a_safety_violation_are_told_as_not_run() -> None:
    trace = parse_trace(
        f"mmfuzz trace 1\nkernel {PATCHED}\nworld {WORLD}\nwrite 0 0 1\nmigrate 0 0\nreclaim\nread 0 0\nwrite 0 0 2\n"
    )
    steps = explain(trace, find_kernel(PATCHED)).steps
    assert "lost-store" in (steps[3].moment or "")
    assert (steps[4].changes, steps[4].decisions) == ((), ())
    assert steps[4].result == "not run: the trace has failed"


if __name__ == "__main__":
    for name in STORIES:
        (GOLDEN / f"{name}.txt").write_text(format_explanation(told(name)), "utf-8")
