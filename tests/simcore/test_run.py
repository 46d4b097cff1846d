"""The function from traces to values: the same trace gives the same value, however often and on which core."""

import random
from dataclasses import replace

import pytest

from fuzzer.drawn import drawn_trace
from fuzzer.unit import UnitSpec, start_engine
from simcore.constants import PG_BUDDY
from simcore.core import new_machine
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel, shipped_kernels
from simcore.run import observe, prepare, run_trace
from simcore.snapshot import broken_promises, contents_behind, guards, take_snapshot
from simcore.trace import Op, Trace, encode, format_trace, parse_trace
from simcore.world import World

SEED = 7
WORLD = World.parse("processes=3 pages=3 frames=7 slots=5 memcgs=2")


def drawn(kernel: str, count: int) -> list[Trace]:
    """Traces that an engine drew: the last of each hundred ops."""
    engine = start_engine(UnitSpec(find_kernel(kernel), WORLD, "swarm", SEED, 1, 60), new_machine())
    traces = []
    for number in range(1, count + 1):
        engine.run(number * 100)
        traces.append(drawn_trace(engine, kernel))
    return traces


@pytest.mark.parametrize("kernel", shipped_kernels(), ids=lambda kernel: kernel.name)
def test_trace_run_twice_gives_one_observation(kernel: Kernel, compiled: bool) -> None:
    for trace in drawn(kernel.name, 40):
        first = run_trace(trace, kernel, log=True, compiled=compiled)
        assert run_trace(trace, kernel, log=True, compiled=compiled) == first, f"seed {SEED}: {trace}"


def test_observation_does_not_depend_on_what_the_machine_ran_before(compiled: bool) -> None:
    kernel = find_kernel("linux-4.5")
    traces = drawn("linux-4.5", 40)
    used = new_machine(compiled)
    random.Random(SEED).shuffle(traces)
    for trace in traces:
        seen = observe(prepare(used, trace, kernel), encode(trace))
        assert seen == run_trace(trace, kernel, compiled=compiled), f"seed {SEED}: {trace}"


def test_replayed_text_gives_the_same_observation(compiled: bool) -> None:
    kernel = find_kernel("linux-4.0-rc7-mm1")
    for trace in drawn("linux-4.0-rc7-mm1", 20):
        again = parse_trace(format_trace(trace))
        assert run_trace(again, kernel, compiled=compiled) == run_trace(trace, kernel, compiled=compiled)


def test_digest_tells_outcomes_apart() -> None:
    kernel = find_kernel("linux-4.5")
    digests = {run_trace(trace, kernel).digest for trace in drawn("linux-4.5", 100)}
    assert len(digests) > 90


def test_log_and_checks_leave_the_outcome_alone(compiled: bool) -> None:
    kernel = find_kernel("canary-sound")
    for trace in drawn("canary-sound", 30):
        plain = run_trace(trace, kernel, check=False, compiled=compiled)
        logged = run_trace(trace, kernel, log=True, compiled=compiled)
        assert replace(logged, log=(), rows=plain.rows) == plain, f"seed {SEED}: {trace}"
        used, used_by_checks = ({row for row, used in enumerate(seen.rows) if used} for seen in (plain, logged))
        # The pressure at the end, by which never-discardable judges, may use more rows.
        assert used <= used_by_checks
        assert {row for rows in logged.log for row in rows} <= used_by_checks


def test_snapshots_look_and_do_not_touch(compiled: bool) -> None:
    kernel = find_kernel("linux-4.5")
    for trace in drawn("linux-4.5", 20):
        machine = prepare(new_machine(compiled), trace, kernel)
        for word in encode(trace):
            machine.op(word)
            assert take_snapshot(machine) == take_snapshot(machine)
        machine.finish()
        assert f"out-{machine.outcome():016x}" == run_trace(trace, kernel, compiled=compiled).digest


def test_snapshot_shows_every_promise_kept_on_the_sound_kernel(compiled: bool) -> None:
    kernel = find_kernel("canary-sound")
    for trace in drawn("canary-sound", 30):
        machine = prepare(new_machine(compiled), trace, kernel)
        for number, word in enumerate(encode(trace)):
            machine.op(word)
            snapshot = take_snapshot(machine)
            assert broken_promises(snapshot) == (), f"seed {SEED}, after op {number} of {trace}"


def test_snapshot_shows_what_guards_a_page(compiled: bool) -> None:
    trace = parse_trace(
        "mmfuzz trace 1\nkernel linux-4.5\nworld slots=4\nwrite 0 0 1\nmigrate 0 0\nreclaim\nread 0 0\n"
    )
    machine = prepare(new_machine(compiled), trace, find_kernel("linux-4.5"))
    seen = []
    for word in encode(trace):
        machine.op(word)
        seen.append(guards(take_snapshot(machine), (0, 0)))
    assert seen == [("a dirty pte",), ("PageDirty",), ("its copy in slot 0",), ("its copy in slot 0",)]
    assert contents_behind(take_snapshot(machine), (0, 0)) == 1


def test_processes_that_exited_are_in_no_snapshot(compiled: bool) -> None:
    trace = parse_trace("mmfuzz trace 1\nkernel linux-4.5\nworld pages=2\nwrite 0 0 1\nfork 0\nexit 0\n")
    machine = prepare(new_machine(compiled), trace, find_kernel("linux-4.5"))
    for word in encode(trace):
        machine.op(word)
    snapshot = take_snapshot(machine)
    assert set(snapshot.ptes) == set(snapshot.expected) == {(1, 0), (1, 1)}
    assert sum(not page.flags & PG_BUDDY for page in snapshot.pages) == 1


def test_op_is_named_rightly_in_a_long_trace(compiled: bool) -> None:
    kernel = find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin")
    ops = (Op("write", (0, 0, 1)), Op("migrate", (0, 0)), Op("reclaim"), Op("read", (0, 0)))
    trace = Trace(kernel.name, World(), (Op("read", (0, 1)),) * 70_000 + ops)
    (violation,) = run_trace(trace, kernel, compiled=compiled).violations
    assert (violation.oracle, violation.at) == ("lost-store", 70_003)
