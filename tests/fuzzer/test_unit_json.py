"""A unit's description: small, complete, and strict."""

import json
from dataclasses import replace

import pytest

from fuzzer.errors import UnitError
from fuzzer.unit import UnitSpec
from fuzzer.unit_json import unit_from_json, unit_to_json
from simcore.features import FEATURES
from simcore.kernel import Kernel
from simcore.oracles import ORACLE_BY_NAME
from simcore.world import World


def no_kernel(digest: str) -> Kernel:
    """What finds nothing."""
    raise AssertionError(f"asked for {digest}")


@pytest.fixture
def spec(patched: Kernel) -> UnitSpec:
    """The unit with the longest description: everything left out, every oracle named."""
    world = World(4, 24, 128, 128, 2, 24, "zram").without(FEATURES)
    return UnitSpec(patched, world, "random", (1 << 63) - 1, 1 << 40, 400, tuple(ORACLE_BY_NAME))


def test_description_is_under_1_kb(spec: UnitSpec) -> None:
    assert len(json.dumps(unit_to_json(spec))) < 1024


def test_description_and_kernel_give_the_unit_again(spec: UnitSpec) -> None:
    for each in (spec, replace(spec, oracles=None)):
        text = json.dumps(unit_to_json(each))
        kernels = {each.kernel.digest: each.kernel}
        assert unit_from_json(json.loads(text), kernels.__getitem__) == each


def test_another_kernel_is_refused(spec: UnitSpec, before: Kernel) -> None:
    with pytest.raises(UnitError, match=f"{spec.kernel.digest}; the one given, {before.name}"):
        unit_from_json(unit_to_json(spec), lambda digest: before)  # noqa: ARG005


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "mmfuzz unit 2"),
        ("kernel", "linux-4.5"),
        ("kernel", {"name": "linux-4.5"}),
        ("world", {}),
        ("world", "pages=0"),
        ("world", "pages=2 without=steam"),
        ("engine", "guided"),
        ("engine", 1),
        ("seed", "1"),
        ("seed", 1.5),
        ("ops", None),
        ("length", 401),
        ("oracles", "lost-store"),
        ("oracles", ["lost-shop"]),
    ],
)
def test_wrong_value_is_an_error(spec: UnitSpec, field: str, value: object) -> None:
    description = unit_to_json(spec) | {field: value}
    with pytest.raises(UnitError):
        unit_from_json(description, {spec.kernel.digest: spec.kernel}.__getitem__)


@pytest.mark.parametrize("value", [None, [], "", {}, 3])
def test_what_is_no_description_is_an_error(value: object) -> None:
    with pytest.raises(UnitError, match="format 'mmfuzz unit 1'"):
        unit_from_json(value, no_kernel)


def test_missing_and_unknown_fields_are_errors(spec: UnitSpec) -> None:
    description = unit_to_json(spec)
    find = {spec.kernel.digest: spec.kernel}.__getitem__
    with pytest.raises(UnitError, match="has the fields"):
        unit_from_json(description | {"priority": 1}, find)
    with pytest.raises(UnitError, match="has the fields"):
        unit_from_json({name: value for name, value in description.items() if name != "seed"}, find)
