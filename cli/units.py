"""The units of a run, executed here or by processes beside this one, and handed back in their order.

The order makes what a run finds independent of how many processes did it, and of which was faster.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count

from fuzzer.unit import UnitResult, UnitSpec, run_unit

# Units handed out ahead for each process: one that runs and one that waits.
UNITS_AHEAD = 2


def unit_results(unit: Callable[[int], UnitSpec | None], jobs: int) -> Generator[UnitResult, None, None]:
    """The results of units 0, 1, 2, ..., up to the first number that has none. Close it to stop before."""
    if jobs == 1:
        return _in_this_process(unit)
    return _in_processes(unit, jobs)


def _in_this_process(unit: Callable[[int], UnitSpec | None]) -> Generator[UnitResult, None, None]:
    for number in count():
        spec = unit(number)
        if spec is None:
            return
        yield run_unit(spec)


def _in_processes(unit: Callable[[int], UnitSpec | None], jobs: int) -> Generator[UnitResult, None, None]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_signals_to_parent)
    waiting: deque[Future[UnitResult]] = deque()
    numbers = count()
    try:
        while True:
            while len(waiting) < jobs * UNITS_AHEAD and (spec := unit(next(numbers))) is not None:
                waiting.append(pool.submit(run_unit, spec))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_signals_to_parent() -> None:
    """Ctrl-C on a terminal reaches every process in the foreground; the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
