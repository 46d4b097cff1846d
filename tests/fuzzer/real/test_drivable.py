"""What userspace can drive on a real kernel, and what it is told where it cannot."""

import pytest

from fuzzer.real.drivable import drivable_ops, drivable_world, find_obstacle
from simcore.trace import Trace
from simcore.trace_op import Op
from simcore.world import World

WORLD = World()


def trace(*ops: Op) -> Trace:
    return Trace("linux-6.1", WORLD, ops)


def test_ops_of_a_program_are_driven() -> None:
    assert find_obstacle(trace(Op("write", (0, 0, 1)), Op("reclaim", ()), Op("read", (0, 0)))) is None


@pytest.mark.parametrize(
    ("op", "why"),
    [
        (Op("reclaim", (), begin=True), "cannot be begun"),
        (Op("read", (0, 0), thread=1), "second thread"),
        (Op("pin", (0, 0)), "repeatably"),
        (Op("io_error", ()), "inside the kernel or the device"),
        (Op("memcg_limit", (0, 3)), "repeatably"),
    ],
)
def test_what_cannot_be_driven_is_told_with_its_place(op: Op, why: str) -> None:
    obstacle = find_obstacle(trace(Op("write", (0, 0, 1)), op))
    assert obstacle is not None
    assert obstacle.number == 2
    assert why in obstacle.reason
    assert str(op) in str(obstacle)


def test_what_a_target_lacks_is_told_with_its_reason() -> None:
    obstacle = find_obstacle(trace(Op("migrate", (0, 0))), {"migrate": "one NUMA node"})
    assert obstacle is not None
    assert "one NUMA node" in obstacle.reason


def test_the_end_of_a_write_is_waited_for_and_not_driven() -> None:
    done = trace(Op("reclaim", ()), Op("io_done", ()))
    assert find_obstacle(done) is None
    assert [op.name for op in drivable_ops(done)] == ["reclaim"]


def test_a_world_for_real_kernels_is_without_what_nobody_drives() -> None:
    assert {"steps", "io_error"} <= set(drivable_world(WORLD).missing)
    assert "migration" in drivable_world(WORLD, {"migrate"}).missing
    assert "ksm" not in drivable_world(WORLD, {"ksm_scan"}).missing
