"""Settings of campaigns: what cannot be is refused, and what can be comes back from the database as it was."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.json_text import to_json_text
from fuzzer.campaign.spec import (
    FORMAT,
    MOST_CELLS,
    Budget,
    CampaignSpec,
    differences,
    make_pair,
    spec_from_json,
)
from fuzzer.errors import CampaignError, UnknownEngine
from fuzzer.seeds import BIGGEST_SEED
from simcore.errors import UnknownName
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel, shipped_kernels
from simcore.world import World
from tests.fuzzer.campaign.drawing import PAIR, WORLD

SPEC = CampaignSpec(kernels=(PAIR,), worlds=(WORLD,), seed=1)


def find(digest: str) -> Kernel:
    """The shipped kernel of a digest."""
    return next(kernel for kernel in shipped_kernels() if kernel.digest == digest)


def stored(spec: CampaignSpec) -> Any:
    """The settings as they come back from a database, which keeps no order of names."""
    return json.loads(to_json_text(spec.to_json()))


@st.composite
def specs(draw: st.DrawFn) -> CampaignSpec:
    """Campaigns of every setting."""
    limit = st.none() | st.integers(1, BIGGEST_SEED)
    kernels = draw(st.sampled_from([("linux-4.5",), ("linux-6.1", "linux-4.5"), ("linux-4.0-rc7-mm1",)]))
    weights = st.dictionaries(st.sampled_from(["random", "swarm"]), st.integers(1, 100), min_size=1)
    return CampaignSpec(
        kernels=tuple(make_pair(find_kernel(name), draw(st.sampled_from([None, PAIR.kernel]))) for name in kernels),
        worlds=draw(st.sampled_from([(World(),), (WORLD, World(pages=3, huge=2).without(["ksm"]))])),
        seed=draw(st.integers(0, BIGGEST_SEED)),
        without=draw(st.sampled_from([((),), ((), ("ksm", "memcg"), ("thp",))])),
        engines=draw(st.permutations(sorted(draw(weights).items())).map(tuple)),
        oracles=draw(st.sampled_from([None, ("lost-store",)])),
        budget=Budget(draw(st.none() | st.floats(0, 1e9)), draw(limit), draw(limit), draw(limit)),
        priority=draw(st.integers(1, 100)),
        length=draw(st.integers(1, 400)),
        checks=draw(st.booleans()),
        canary_minutes=draw(st.floats(0, 1e5)),
    )


@given(specs())
def test_settings_come_back_from_the_database(spec: CampaignSpec) -> None:
    again = spec_from_json(stored(spec), lambda digest: replace(find(digest), name="stored-under-another-name"))
    assert stored(again) == stored(spec)
    assert [(c.pair.kernel.digest, c.pair.kernel.name, c.world, c.engine, c.weight) for c in again.cells] == [
        (c.pair.kernel.digest, c.pair.kernel.name, c.world, c.engine, c.weight) for c in spec.cells
    ]
    assert replace(again, kernels=spec.kernels) == spec


def test_cells_are_all_combinations_each_once() -> None:
    spec = replace(
        SPEC,
        kernels=(PAIR, make_pair(find_kernel("linux-4.5"))),
        worlds=(WORLD, World()),
        without=((), ("ksm",), ("thp",)),
        engines=(("random", 2), ("swarm", 5)),
    )
    cells = spec.cells
    assert [cell.number for cell in cells] == list(range(24))
    assert len({(cell.pair.kernel.name, cell.world, cell.engine) for cell in cells}) == 24
    assert {(cell.engine, cell.weight) for cell in cells} == {("random", 2), ("swarm", 5)}
    assert sum("ksm" in cell.world.missing for cell in cells) == 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": -1}, "seed=-1; it can be 0 to"),
        ({"seed": BIGGEST_SEED + 1}, f"seed={BIGGEST_SEED + 1}; it can be 0 to {BIGGEST_SEED}"),
        ({"seed": True}, "seed=True"),
        ({"priority": 0}, "priority=0; it can be 1 to 100"),
        ({"priority": 101}, "priority=101"),
        ({"seed_ops": 0}, "units.seed_ops=0"),
        ({"seeds_per_unit": 0}, "units.seeds=0"),
        ({"length": 401}, "length=401; it can be 1 to 400"),
        ({"canary_minutes": -0.5}, r"canary_minutes=-0\.5"),
        ({"canary_minutes": float("nan")}, "canary_minutes=nan"),
        ({"engines": (("swarm", 0),)}, "engines.swarm=0; it can be 1 to 100"),
        ({"engines": (("swarm", 101),)}, "engines.swarm=101"),
        ({"kernels": ()}, "kernels is empty"),
        ({"worlds": ()}, "worlds is empty"),
        ({"without": ()}, "without is empty"),
        ({"engines": ()}, "engines is empty"),
        ({"oracles": ()}, "oracles is empty"),
        ({"kernels": (PAIR, PAIR)}, "two of the kernels have the same rows"),
        ({"without": ((),) * (MOST_CELLS + 1)}, f"make {MOST_CELLS + 1} cells; {MOST_CELLS} at most"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name_and_value(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CampaignError, match=said):
        replace(SPEC, **changes)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"engines": (("swarn", 1),)}, UnknownEngine, "'swarn'; did you mean 'swarm'"),
        ({"oracles": ("lost-stor",)}, UnknownName, "oracle 'lost-stor'; did you mean 'lost-store'"),
        ({"without": (("steam",),)}, UnknownName, "unknown feature 'steam'"),
    ],
)
def test_names_that_nothing_has_are_refused(changes: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        replace(SPEC, **changes)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Budget(ops=-1), "budget.ops=-1; it can be 0 to"),
        (lambda: Budget(failures=0), "budget.failures=0; it can be 1 to"),
        (lambda: Budget(plateau=0), "budget.plateau=0; it can be 1 to"),
        (lambda: Budget(ops=BIGGEST_SEED + 1), "budget.ops="),
        (lambda: Budget(seconds=-1.0), r"budget.seconds=-1\.0"),
        (lambda: Budget(seconds=float("nan")), "budget.seconds=nan"),
        (lambda: Budget(seconds=float("inf")), "budget.seconds=inf"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(make: Callable[[], Budget], said: str) -> None:
    with pytest.raises(CampaignError, match=said):
        make()


def test_a_reference_is_the_one_given_else_the_kernel_it_came_from() -> None:
    later = find_kernel("linux-4.5")
    assert make_pair(PAIR.kernel).reference == PAIR.reference
    assert make_pair(PAIR.kernel, later).reference == later
    with pytest.raises(CampaignError, match=f"{later.name} has the same rows as {later.name}"):
        make_pair(later, later)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "mmfuzz campaign 2"}, f"'mmfuzz campaign 2'; this release reads '{FORMAT}'"),
        ({"worlds": ["pages=0"]}, "pages=0; it can be 1"),
        ({"units": {}}, "seed_ops"),
        ({"budget": {"steps": 3}}, "steps"),
        ({"kernels": [{"name": "linux-4.5"}]}, "digest"),
    ],
)
def test_stored_settings_that_this_release_cannot_read_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CampaignError, match=said):
        spec_from_json(SPEC.to_json() | changes, find)


def test_differences_are_the_settings_that_differ_and_no_others() -> None:
    other = replace(
        SPEC,
        seed=2,
        engines=(("random", 2),),
        budget=Budget(ops=5),
        seed_ops=7,
    )
    assert differences(SPEC.to_json(), SPEC.to_json()) == []
    assert sorted(differences(SPEC.to_json(), other.to_json())) == [
        ("budget.ops", None, 5),
        ("engines", [["swarm", 1]], [["random", 2]]),
        ("seed", 1, 2),
        ("units.seed_ops", SPEC.seed_ops, 7),
    ]


def test_differences_tell_what_one_side_lacks() -> None:
    assert differences({"a": 1}, {"b": {"c": 2}}) == [("a", 1, None), ("b", None, {"c": 2})]
