"""How an oracle declares itself."""

from dataclasses import dataclass
from typing import Literal

OracleClass = Literal["safety", "liveness", "cost"]


@dataclass(frozen=True, slots=True)
class Oracle:
    """One promise that every kernel must keep.

    `code` is its number in the core: safety oracles come first, then liveness, then cost. `what` is the sentence
    a failure is reported with; `{page}`, `{expected}` and `{seen}` are filled in. `canary` names the kernel with
    a bug planted on purpose that this oracle, and no other, catches; `canary_world` is what of the default world
    must be changed for that, in the text form of worlds.
    """

    code: int
    name: str
    cls: OracleClass
    promise: str
    what: str
    false_alarms: str
    canary: str
    canary_world: str = ""
