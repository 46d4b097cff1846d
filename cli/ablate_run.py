"""The hunts of `mmfuzz ablate`, one after the other, each until its budget is used up; the clock is read here."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cli.stopping import StopRequest
from fuzzer.ablation import Ablated, ablate, subsets
from fuzzer.unit import UnitSpec
from simcore.kernel import Kernel


@dataclass(frozen=True, slots=True)
class AblateOptions:
    """What was asked for. `spec` is the hunt in the whole world; `ops` and `seconds` are budgets of each hunt.

    With the same options but for `seconds`, and `ops` given, the same is found every time.
    """

    spec: UnitSpec
    features: tuple[str, ...]
    reference: Kernel | None
    seconds: float | None
    ops: int | None

    def to_json(self) -> dict[str, object]:
        """Every option."""
        return {
            "kernel": self.spec.kernel.name,
            "reference": self.reference.name if self.reference else None,
            "features": list(self.features),
            "world": str(self.spec.world),
            "engine": self.spec.engine,
            "seed": self.spec.seed,
            "ops": self.ops,
            "seconds": self.seconds,
            "unit_ops": self.spec.ops,
            "length": self.spec.length,
            "oracles": "safety",
        }


@dataclass(frozen=True, slots=True)
class Timed:
    """A hunt and how long it took. `first_seconds` is when the first failure of the kernel's own was explained."""

    ablated: Ablated
    seconds: float
    first_seconds: float | None


def run_all(options: AblateOptions, stop: StopRequest, tell: Callable[[Timed], None]) -> list[Timed]:
    """Do one hunt for each subset of the features, tell of each at its end; those done when the user stops it."""
    done = []
    for left_out in subsets(options.features):
        timed = _hunt(options, left_out, stop)
        if timed is None:
            break
        done.append(timed)
        tell(timed)
    return done


def _hunt(options: AblateOptions, left_out: tuple[str, ...], stop: StopRequest) -> Timed | None:
    """One hunt; None when the user stopped it, for what it had not found by then is not known."""
    started = time.monotonic()
    first_seconds = None
    for ablated in _until_ops(ablate(options.spec, left_out, options.reference), options.ops):
        seconds = time.monotonic() - started
        if ablated.own and first_seconds is None:
            first_seconds = seconds
        if stop.made:
            return None
        if options.seconds is not None and seconds >= options.seconds:
            break
    return Timed(ablated, time.monotonic() - started, first_seconds)


def _until_ops(hunt: Iterator[Ablated], ops: int | None) -> Iterator[Ablated]:
    """The hunt up to the end of the unit in which so many ops are done."""
    for ablated in hunt:
        yield ablated
        if ops is not None and ablated.ops >= ops and ablated.at_end:
            return
