"""Whether the compiled core was made from the sources beside it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from cli.errors import InfrastructureTrouble
from cli.versions import ROOT
from fuzzer.unity import ENGINES
from simcore.core import is_compiled
from simcore.unity import CORE, Unity, source_digest

BUILD_IT = "`make run` in the checkout builds it; it takes gcc and Python's headers (Debian: gcc python3-dev)"


@dataclass(frozen=True, slots=True)
class ExtensionState:
    """An extension, the digest of what it was made from and of what lies beside it now; None without sources."""

    extension: str
    made_from: str
    sources: str | None

    @property
    def state(self) -> Literal["current", "stale", "unknown"]:
        """Whether the two are the same."""
        if self.sources is None:
            return "unknown"
        return "current" if self.made_from == self.sources else "stale"


def extension_states() -> tuple[ExtensionState, ...]:
    """The compiled extensions; none where the core runs uncompiled."""
    return tuple(map(_state_of, (CORE, ENGINES))) if is_compiled() else ()


def require_current_core() -> None:
    """Refuse to run a core that is not what its sources say: what it finds would be of some other simulator."""
    for each in extension_states():
        if each.state == "stale":
            raise InfrastructureTrouble(
                f"{each.extension} was compiled from {each.made_from}, but the sources are {each.sources}; {BUILD_IT}"
            )


def _state_of(unity: Unity) -> ExtensionState:
    made_from = str(import_module(unity.extension).SOURCE_DIGEST)
    return ExtensionState(unity.extension, made_from, source_digest(unity, ROOT) if _has_sources(unity) else None)


def _has_sources(unity: Unity) -> bool:
    first = unity.modules[0].replace(".", "/")
    return (ROOT / unity.package / f"{first}.pxd").is_file()
