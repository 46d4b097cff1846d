"""What it costs to turn a found sequence into a minimized failure with its cause."""

import time

from benchmarks._measure import TYPICAL_WORLD, Claim, Figures, Spread, spread
from cli.output import plural
from fuzzer.cause import default_reference
from fuzzer.failure import Failure, make_failure
from fuzzer.unit import UnitSpec, run_unit
from simcore.kernel import Kernel
from simcore.kernel_files import shipped_kernels

OPS = 400_000
QUICK_OPS = 50_000
MS = 1000


def main(quick: bool = False) -> Figures:
    """Measure every failure of one unit of each kernel that has any."""
    print("from a found sequence to a minimized failure with its cause")
    kernels: dict[str, object] = {}
    times: list[float] = []
    for kernel in shipped_kernels():
        made = list(failures_of(kernel, QUICK_OPS if quick else OPS))
        if not made:
            print(f"  {kernel.name:36} no failure")
            continue
        ms = [each for each, _ in made]
        executions = spread([float(str(failure.minimization["executions"])) for _, failure in made])
        lengths = spread([len(failure.minimized.ops) for _, failure in made])
        kernels[kernel.name] = {
            "failures": len(made),
            "ms": spread(ms).to_json(),
            "executions": executions.to_json(),
            "ops": lengths.to_json(),
        }
        print(f"  {kernel.name:36} {plural(len(made), 'failure'):11}  {_in_words(spread(ms), executions, lengths)}")
        times += ms
    claims = [Claim("from a found sequence to a failure", spread(times), "ms")] if times else []
    return {"claims": [claim.to_json() for claim in claims], "kernels": kernels}


def failures_of(kernel: Kernel, ops: int) -> list[tuple[float, Failure]]:
    """Each failure of a unit, and the milliseconds of CPU time it took to make it of the sequence found."""
    reference = default_reference(kernel)
    made = []
    for found in run_unit(UnitSpec(kernel, TYPICAL_WORLD, "swarm", 1, ops)).failures:
        started = time.process_time()
        failure = make_failure(found, kernel, reference)
        made.append((MS * (time.process_time() - started), failure))
    return made


def _in_words(ms: Spread, executions: Spread, lengths: Spread) -> str:
    return (
        f"{ms.median:6.1f} ms [{ms.least:.1f} to {ms.greatest:.1f}],"
        f" {executions.median:,.0f} executions [{executions.least:,.0f} to {executions.greatest:,.0f}],"
        f" to {lengths.median:.0f} ops"
    )
