"""Which core runs: the compiled one where it was built, else the plain modules."""

import importlib
import importlib.util
from typing import Any

from simcore.constants import MAX_OP_CODES
from simcore.features import feature_mask
from simcore.ops import OPS

NEEDS: tuple[int, ...] = tuple(
    next((feature_mask(op.needs) for op in OPS if op.code == code), 0) for code in range(MAX_OP_CODES)
)


class CoreUnavailable(RuntimeError):  # noqa: N818 - it reads as what happened
    """The compiled core was asked for, and is not there."""


def is_compiled() -> bool:
    """Whether the compiled core is there."""
    return importlib.util.find_spec("simcore._core") is not None


def new_machine(compiled: bool | None = None) -> Any:
    """A machine of the compiled core (True), of the plain modules (False), or of the best there is (None)."""
    if compiled is None:
        compiled = is_compiled()
    if not compiled:
        return importlib.import_module("simcore.machine").Machine()
    if not is_compiled():
        raise CoreUnavailable("the compiled core is not built; run `make setup` where a C compiler is at hand")
    return importlib.import_module("simcore._core").Machine()
