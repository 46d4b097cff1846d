"""A unit's description as JSON, as it travels: under 1 kB, the kernel by its name and digest."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from fuzzer.errors import FuzzerError, UnitError
from fuzzer.unit import UnitSpec
from simcore.errors import SimcoreError
from simcore.kernel import Kernel
from simcore.world import World

FORMAT = "mmfuzz unit 1"
FIELDS = ("format", "kernel", "world", "engine", "seed", "ops", "length", "oracles", "checks")


def unit_to_json(spec: UnitSpec) -> dict[str, object]:
    """The description, without the kernel's rows."""
    return {
        "format": FORMAT,
        "kernel": {"name": spec.kernel.name, "digest": spec.kernel.digest},
        "world": str(spec.world),
        "engine": spec.engine,
        "seed": spec.seed,
        "ops": spec.ops,
        "length": spec.length,
        "oracles": None if spec.oracles is None else list(spec.oracles),
        "checks": spec.checks,
    }


def unit_from_json(value: object, find: Callable[[str], Kernel]) -> UnitSpec:
    """The unit of a description. `find` gives the kernel of a digest; UnitError when it gives another."""
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise UnitError(f"a unit's description is an object with format {FORMAT!r}, not {value!r:.200}")
    if set(value) != set(FIELDS):
        raise UnitError(f"a unit's description has the fields {', '.join(FIELDS)}, not {', '.join(map(str, value))}")
    digest = value["kernel"].get("digest") if isinstance(value["kernel"], Mapping) else None
    if not isinstance(digest, str) or not isinstance(value["world"], str):
        raise UnitError("a unit's description names its kernel's digest and gives its world as one line of text")
    kernel = find(digest)
    if kernel.digest != digest:
        raise UnitError(f"the unit is for the kernel {digest}; the one given, {kernel.name}, has {kernel.digest}")
    return _spec_of(value, kernel)


def _spec_of(value: Mapping[str, Any], kernel: Kernel) -> UnitSpec:
    if not isinstance(value["engine"], str):
        raise UnitError(f"engine={value['engine']!r}; it is the name of an engine")
    oracles = value["oracles"]
    if oracles is not None and not (isinstance(oracles, list) and all(isinstance(name, str) for name in oracles)):
        raise UnitError(f"oracles={oracles!r}; it is a list of names, or null for all")
    if not isinstance(value["checks"], bool):
        raise UnitError(f"checks={value['checks']!r}; it is true or false")
    try:
        return UnitSpec(
            kernel,
            World.parse(value["world"]),
            value["engine"],
            cast(int, value["seed"]),
            cast(int, value["ops"]),
            cast(int, value["length"]),
            None if oracles is None else tuple(oracles),
            value["checks"],
        )
    except (SimcoreError, FuzzerError) as error:
        raise UnitError(f"a unit that cannot be: {error}") from error
