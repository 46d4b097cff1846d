"""mmfuzz with one seed that kills whoever executes it, as a bug of ours in C would.

Run as a program it is the command `mmfuzz`; MMFUZZ_DEADLY_SEED is the seed. Processes that it starts afresh import it,
too, and those it forks have it.
"""

import os
import signal
import sys

import fuzzer.campaign.work
from cli.main import main
from fuzzer.unit import UnitResult, UnitSpec, run_unit

DEADLY = int(os.environ.get("MMFUZZ_DEADLY_SEED", "-1"))


def run_or_die(spec: UnitSpec, *, compiled: bool | None = None) -> UnitResult:
    """Execute a seed, unless it is the deadly one."""
    if spec.seed == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_unit(spec, compiled=compiled)


# The name by which units are executed, looked up at each call.
fuzzer.campaign.work.run_unit = run_or_die  # type: ignore[attr-defined]

if __name__ == "__main__":
    main(sys.argv[1:])
