"""A shorter trace that shows the simulator's side of a disagreement.

The trace is cut behind the op that shows it, and ops are left out that neither name the page or one that shares its
frame nor change what the simulator shows of it. The page then goes through the same states, up to the same end, in the
simulator. That the real kernel would show in the shorter trace what it showed in the whole one was NOT tried: no real
kernel runs here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fuzzer.conform.compare import Disagreement
from fuzzer.conform.observables import CLASS_MASK, NONE, OBSERVABLE_BY_NAME
from fuzzer.conform.reading import AREA, SMALL_PAGES, Reading
from fuzzer.conform.replay import Move, Step, moves, prepare, run_step
from simcore.ops import OP_BY_NAME
from simcore.world import World

FRAME_CHANGED = OBSERVABLE_BY_NAME["frame-changed"].mask


@dataclass(frozen=True, slots=True)
class Shortened:
    """The ops that are left, by their place in the reading, and how many traces were run to know that."""

    kept: tuple[int, ...]
    executions: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the simulator showed in a run: after each op that was run; at the end, the values read, by page."""

    steps: dict[int, Step]
    final: list[int]


class Shortener:
    """Shortens traces on one kernel. `machine` is its own."""

    def __init__(self, machine: Any, rows: bytes, world: World) -> None:
        self._machine = machine
        self._rows = rows
        self._world = world
        self.executions = 0

    def shorten(self, reading: Reading, found: Disagreement) -> Shortened:
        """Leave out what can be left out, one op after another from the last one, until nothing more can."""
        kept = tuple(range(min(found.at + 1, len(reading.ops))))
        while True:
            shorter = self._pass(reading, found, kept, self.run(reading, kept))
            if shorter == kept:
                return Shortened(kept, self.executions)
            kept = shorter

    def run(self, reading: Reading, kept: Sequence[int]) -> _Shown:
        """Run these ops of a reading."""
        self.executions += 1
        prepare(self._machine, self._rows, self._world)
        all_moves = tuple(moves(reading))
        shown = {at: self._step(reading, at, all_moves[at]) for at in kept}
        return _Shown(shown, self._machine.final_values())

    def _step(self, reading: Reading, at: int, move: Move) -> Step:
        return run_step(self._machine, reading.ops[at], move, smaps=bool(reading.sm))

    def _pass(self, reading: Reading, found: Disagreement, kept: tuple[int, ...], whole: _Shown) -> tuple[int, ...]:
        for at in reversed(kept):
            if at == found.at or not may_go(reading, found, at, kept, whole.steps):
                continue
            shorter = tuple(each for each in kept if each != at)
            if same_story(found, whole, self.run(reading, shorter), shorter):
                kept = shorter
        return kept


def may_go(reading: Reading, found: Disagreement, at: int, kept: Sequence[int], shown: dict[int, Step]) -> bool:
    """Whether an op touches neither the page nor its frame, changes nothing shown of it, and no other op needs it."""
    name, process, page, _ = reading.ops[at]
    last = max((each for each in shown if each < at), default=None)
    before = None if last is None else shown[last]
    if _changes_page(found, before, shown[at]):
        return False
    if name == "fork":
        return _is_last_fork_unused(reading, found, at, kept)
    if name == "exit":
        return process != found.process
    if "page" not in OP_BY_NAME[name].args:
        return True
    pages = range(SMALL_PAGES, reading.pages) if page == AREA else (page,)
    touched = {process * reading.pages + each for each in pages}
    moments = [shown[at]] if before is None else [before, shown[at]]
    return all(not touched & _mates(reading, found, moment) for moment in moments)


def same_story(found: Disagreement, whole: _Shown, shorter: _Shown, kept: Sequence[int]) -> bool:
    """Whether the page is shown the same after every op that is left, and the op at fault ends the same."""
    if any(_shown_of(found, whole.steps[at]) != _shown_of(found, shorter.steps[at]) for at in kept):
        return False
    if found.at in shorter.steps:
        a, b = whole.steps[found.at], shorter.steps[found.at]
        return (a.errno, a.value) == (b.errno, b.value)
    return _final_value(found, whole) == _final_value(found, shorter)


def _is_last_fork_unused(reading: Reading, found: Disagreement, at: int, kept: Sequence[int]) -> bool:
    child = reading.res[at][2]
    later = [reading.ops[each] for each in kept if each > at]
    return found.process != child and all(op[0] != "fork" and op[1] != child for op in later)


def _changes_page(found: Disagreement, before: Step | None, after: Step) -> bool:
    """Whether another thing is shown of the page than before the op; that its frame changed earlier does not count."""
    now = _shown_of(found, after)
    if before is None:
        return now is not None and now[0] & CLASS_MASK != NONE
    was = _shown_of(found, before)
    if now is None or was is None:
        return now is not was
    return (now[0] | FRAME_CHANGED, now[1]) != (was[0] | FRAME_CHANGED, was[1])


def _mates(reading: Reading, found: Disagreement, step: Step) -> set[int]:
    """The page itself and all that show the same frame or swap entry as it, by index."""
    index = found.process * reading.pages + found.page
    states = {p * reading.pages + i: state for p, row in enumerate(step.states) for i, state in enumerate(row)}
    if index not in states:
        return {index}
    share = states[index] >> 32
    return {index} | {each for each, state in states.items() if state >> 32 == share}


def _shown_of(found: Disagreement, step: Step) -> tuple[int, int] | None:
    """What is shown of the page: None where its process is not there."""
    if found.process >= len(step.states) or found.page >= len(step.states[found.process]):
        return None
    smaps = step.smaps[found.process][found.page] if step.smaps else 0
    return step.states[found.process][found.page], smaps


def _final_value(found: Disagreement, shown: _Shown) -> int | None:
    """The value read at the end in the page; processes that are gone have none."""
    last = shown.steps[max(shown.steps)].states if shown.steps else [[]]
    place = sum(len(row) for row in last[: found.process]) + found.page
    return shown.final[place] if place < len(shown.final) else None
