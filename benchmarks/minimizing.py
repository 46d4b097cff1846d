"""What it costs to turn a found failure into a minimized and explained one."""

import time
from statistics import median

from fuzzer.cause import default_reference
from fuzzer.failure import make_failure
from fuzzer.unit import UnitSpec, run_unit
from simcore.kernel_files import shipped_kernels
from simcore.world import World

OPS = 400_000


def main() -> dict[str, object]:
    """Measure every failure of one unit of each kernel; print and return milliseconds and executions."""
    figures: dict[str, object] = {}
    print("from a found sequence to an explained failure")
    for kernel in shipped_kernels():
        seconds = []
        executions = []
        for found in run_unit(UnitSpec(kernel, World(processes=3, memcgs=2), "swarm", 1, OPS)).failures:
            started = time.process_time()
            failure = make_failure(found, kernel, default_reference(kernel))
            seconds.append(1000 * (time.process_time() - started))
            executions.append(int(str(failure.minimization["executions"])))
        figures[kernel.name] = {
            "failures": len(seconds),
            "ms_median": median(seconds),
            "ms_max": max(seconds),
            "executions_median": median(executions),
        }
        print(f"  {kernel.name:36} {len(seconds):3} failures, {median(seconds):6.1f} ms median,"
              f" {max(seconds):7.1f} ms at most, {median(executions):7.0f} executions")  # fmt: skip
    return figures
