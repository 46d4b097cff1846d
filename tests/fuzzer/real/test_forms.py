"""The forms of a trace on a real kernel: drained, and without swap."""

import ast
from pathlib import Path

from fuzzer.real.forms import SEEN_BY_LOADS, make_form
from simcore.oracles import ORACLE_BY_NAME
from simcore.trace import Trace, parse_trace

HEADER = "mmfuzz trace 1\nkernel linux-6.1\nworld processes=2 pages=2 slots={slots}\n"


def trace(*ops: str, slots: int = 8) -> Trace:
    return parse_trace(HEADER.format(slots=slots) + "\n".join(ops) + "\n")


def drained(*ops: str, slots: int = 8) -> list[str]:
    return list(map(str, make_form(trace(*ops, slots=slots), "drained").ops))


def test_a_trace_as_it_is_stays_as_it_is() -> None:
    given = trace("write 0 0 1", "drain 0", "reclaim")
    assert make_form(given, "as it is") == given


def test_a_drain_stands_before_every_op_of_another_kind() -> None:
    assert drained("write 0 0 1", "drain 0", "reclaim") == ["drain 0", "write 0 0 1", "drain 0", "drain 0", "reclaim"]


def test_nothing_is_put_before_what_is_not_driven() -> None:
    assert drained("io_done", "reclaim") == ["io_done", "drain 0", "reclaim"]


def test_whoever_lives_drains() -> None:
    assert drained("fork 0", "exit 0", "reclaim") == ["drain 0", "fork 0", "drain 0", "exit 0", "drain 1", "reclaim"]
    assert drained("exit 0", "reclaim") == ["drain 0", "exit 0", "reclaim"]
    # The world has two processes: the third is not there to drain.
    assert drained("fork 0", "fork 0", "exit 0", "exit 1", "reclaim")[-1] == "reclaim"


def test_a_world_without_swap_has_it_turned_off_first() -> None:
    given = trace("write 0 0 1", "reclaim", slots=0)
    assert list(map(str, make_form(given, "as it is").ops)) == ["swapoff", "write 0 0 1", "reclaim"]
    assert list(map(str, make_form(given, "drained").ops))[:2] == ["swapoff", "drain 0"]


def test_the_oracles_that_loads_show_are_those_that_judge_loads(root: Path) -> None:
    tree = ast.parse((root / "simcore" / "user_memory.py").read_text("utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.startswith("ORACLE_")}
    assert {name.removeprefix("ORACLE_").lower().replace("_", "-") for name in named} == SEEN_BY_LOADS
    assert set(ORACLE_BY_NAME) >= SEEN_BY_LOADS
