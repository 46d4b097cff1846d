"""What a real kernel costs under QEMU: to boot, to execute traces, and to come back after a panic and after a hang.

Of every kernel in the user's cache, on zram, one guest at a time. Rates are of wall-clock time: the work is QEMU's.
"""

import time
from collections.abc import Callable
from itertools import islice

from benchmarks._measure import Claim, Figures, Spread, spread
from fuzzer.conform.world import PAGEVEC_SIZE, Source, base_world, version_in
from fuzzer.real.drawing import Drawing, draw_traces
from simcore.kernel_files import find_kernel
from simcore.trace import Trace
from simcore.trace_op import encode_op
from workers.targets.accelerators import choose_boot
from workers.targets.images import KernelImage, list_images
from workers.targets.machine import Boot
from workers.targets.messages import Batch
from workers.targets.session import Limits, Session

ROUNDS, TRACES = 5, 200
# A guest that says nothing for so long has hung; what comes after it is what coming back costs.
SILENCE_SECONDS = 3.0
_WITHOUT = frozenset({"collapse", "split", "memcg_attach", "memcg_reclaim"})


def main(quick: bool = False) -> Figures:
    """Measure every kernel that is kept."""
    images = [image for image in list_images() if isinstance(image, KernelImage)]
    if not images:
        print("no kernels: `mmfuzz target fetch debian:6.1` gets one")
    found = [
        _measure(image, 1 if quick else ROUNDS, 50 if quick else TRACES) for image in images[: 1 if quick else None]
    ]
    return {"claims": [claim.to_json() for claims in found for claim in claims]}


def _measure(image: KernelImage, rounds: int, traces: int) -> list[Claim]:
    boot, _ = choose_boot(image, "zram")
    drawn = _draw(image, traces)
    ops = sum(len(trace.ops) for trace in drawn) / traces
    print(f"{image.name} ({image.release}), {boot.accelerator}, {ops:.1f} ops a trace")
    figures = {
        "boot, s": _rounds(rounds, lambda: _boot(boot)),
        "traces/s with every page read after every op": _rounds(rounds, lambda: _rate(boot, drawn, pages=True)),
        "traces/s with values alone": _rounds(rounds, lambda: _rate(boot, drawn, pages=False)),
        "back after a panic, s": _rounds(rounds, lambda: _back_after(boot, "panic")),
        "back after a hang, s": _rounds(rounds, lambda: _back_after(boot, "hang") - SILENCE_SECONDS),
    }
    for what, figure in figures.items():
        print(f"  {what:48} {figure.median:8.2f}  [{figure.least:.2f} to {figure.greatest:.2f}]")
    return [Claim(f"{image.name}: {what}", figure, "") for what, figure in figures.items()]


def _rounds(number: int, measure: Callable[[], float]) -> Spread:
    return spread([measure() for _ in range(number)])


def _draw(image: KernelImage, number: int) -> list[Trace]:
    version = version_in(image.release) or "6.1"
    world = base_world(Source(image.name, "fresh", version, "zram"), PAGEVEC_SIZE)
    return list(islice(draw_traces(Drawing(find_kernel("linux-6.1"), world, 1, 10, 30, _WITHOUT)), number))


def _boot(boot: Boot) -> float:
    with Session(boot) as session:
        session.start()
        return session.figures.boot_seconds[0]


def _rate(boot: Boot, traces: list[Trace], *, pages: bool) -> float:
    words = tuple(tuple(map(encode_op, trace.ops)) for trace in traces)
    with Session(boot) as session:
        session.execute(Batch(traces[0].world, words[:20], 0, pages=pages))
        started = time.monotonic()
        session.execute(Batch(traces[0].world, words, 0, pages=pages))
        return len(traces) / (time.monotonic() - started)


def _back_after(boot: Boot, what: str) -> float:
    """From the moment that the guest is asked to die to the first answer of the next one."""
    with Session(boot, Limits(trace_seconds=SILENCE_SECONDS)) as session:
        session.start()
        started = time.monotonic()
        session.provoke(("/init", what))
        session.ping()
        return time.monotonic() - started
