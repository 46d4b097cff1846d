"""The compiled core against the same modules uncompiled: the same unit, the same digest."""

from benchmarks._measure import rates, table
from fuzzer.unit import UnitSpec, run_unit
from simcore.kernel_files import find_kernel
from simcore.world import World

# The uncompiled core does in a second what the compiled one does in five milliseconds.
OPS = 8_000


def spec() -> UnitSpec:
    """A unit of the kernel before the refused patch."""
    return UnitSpec(find_kernel("linux-4.0-rc7-mm1"), World(), "random", 1, OPS)


def work(compiled: bool, repeat: int) -> int:
    """Run the unit so many times; the ops done."""
    return sum(run_unit(spec(), compiled=compiled).ops for _ in range(repeat))


def main() -> dict[str, object]:
    """Measure, print, return."""
    same = run_unit(spec(), compiled=True).digest == run_unit(spec(), compiled=False).digest
    if not same:
        raise AssertionError("compiled and uncompiled do not agree; the tests say where")
    measured = rates({"uncompiled": lambda: work(False, 1), "compiled": lambda: work(True, 20)})
    table("compiled against uncompiled (whole units)", measured, "ops/s", "uncompiled")
    ratio = measured["compiled"].median / measured["uncompiled"].median
    return {"ratio": ratio, **{name: rate.to_json() for name, rate in measured.items()}}
