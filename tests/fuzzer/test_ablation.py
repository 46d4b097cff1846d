"""Hunts with features left out: which there are, what each tells, and what may not be asked."""

from itertools import islice

import pytest

from fuzzer.ablation import SAFETY_ORACLES, Ablated, ablate, check_features, subsets, ways
from fuzzer.errors import AblationError
from fuzzer.rank import rank
from fuzzer.unit import UnitSpec
from simcore.core import is_compiled
from simcore.errors import UnknownName
from simcore.kernel import Kernel
from simcore.world import World

REVIEWER = ("ksm", "memcg", "swapoff", "thp", "tmpfs")
WITH_ALL = World(3, frames=20, slots=12, memcgs=2, file=1, huge=3, batch=3)
OPS = 50_000 if is_compiled() else 4_000


def after_one_unit(
    kernel: Kernel, left_out: tuple[str, ...], reference: Kernel | None, seed: int = 1
) -> tuple[Ablated, list[Ablated]]:
    """The hunt at the end of its first unit, and all that it told before."""
    told = []
    spec = UnitSpec(kernel, WITH_ALL, "swarm", seed, OPS)
    for ablated in ablate(spec, left_out, reference, search_budget=20_000 if is_compiled() else 100):
        told.append(ablated)
        if ablated.at_end:
            return ablated, told
    raise AssertionError("a hunt does not end by itself")


def test_five_features_make_32_worlds_each_once_from_all_in_to_all_out() -> None:
    worlds = subsets(REVIEWER)
    assert len(worlds) == len(set(worlds)) == 32
    assert worlds[0] == ()
    assert worlds[-1] == REVIEWER
    assert [len(left_out) for left_out in worlds] == sorted(map(len, worlds))


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_with_all_that_the_reviewer_left_out_the_refused_patch_still_loses_data(
    patched: Kernel, before: Kernel, seed: int
) -> None:
    ablated, _ = after_one_unit(patched, REVIEWER, before, seed)
    assert ablated.shortest is not None
    assert ablated.shortest.key == ("lost-store", "migration")
    assert list(map(str, ablated.shortest.minimized.ops)) == ["write 0 0 1", "migrate 0 0", "reclaim"]
    assert not ablated.world.features & set(REVIEWER)


def test_failures_are_told_apart_by_the_reference_and_come_simplest_first(patched: Kernel, before: Kernel) -> None:
    ablated, _ = after_one_unit(patched, (), before)
    assert ablated.own
    assert all(failure.cause.reference == before.name for failure in ablated.own)
    assert not any(failure.cause.reference for failure in ablated.common)
    assert {failure.oracle for failure in (*ablated.own, *ablated.common)} <= set(SAFETY_ORACLES)
    assert [rank(failure.minimized) for failure in ablated.own] == sorted(rank(each.minimized) for each in ablated.own)


def test_without_a_reference_every_failure_is_the_kernel_s_own(patched: Kernel) -> None:
    ablated, _ = after_one_unit(patched, REVIEWER, None)
    assert ablated.own
    assert not ablated.common


def test_the_first_failure_is_told_with_the_ops_it_took(patched: Kernel, before: Kernel) -> None:
    ablated, told = after_one_unit(patched, (), before)
    assert ablated.first_ops is not None
    assert 0 < ablated.first_ops <= ablated.ops
    found = [each.options["found_at"] for each in ablated.own]
    assert ablated.first_ops <= min(int(str(ops)) for ops in found)
    assert [each.first_ops is not None for each in told] == [bool(each.own) for each in told]


def test_a_hunt_repeats_exactly(patched: Kernel, before: Kernel) -> None:
    spec = UnitSpec(patched, WITH_ALL, "swarm", 3, 2_000)
    once, again = ([*islice(ablate(spec, ("ksm",), before, search_budget=0), 4)] for _ in range(2))
    assert once == again


def test_a_way_is_counted_in_every_world_that_shows_it_and_keeps_its_simplest_trace(
    patched: Kernel, before: Kernel
) -> None:
    hunts = [after_one_unit(patched, left_out, before)[0] for left_out in ((), REVIEWER)]
    found = ways(hunts)
    assert {way.failure.key for way in found} == {each.key for ablated in hunts for each in ablated.own}
    for way in found:
        traces = [each.minimized for ablated in hunts for each in ablated.own if each.key == way.failure.key]
        assert rank(way.failure.minimized) == min(map(rank, traces))
        assert way.worlds == sum(any(each.key == way.failure.key for each in ablated.own) for ablated in hunts)


@pytest.mark.parametrize(
    ("features", "world", "said"),
    [
        (("ksm", "ksm"), World(), "twice"),
        (("ksm",), World().without(["ksm"]), "without ksm already"),
        (("ksm", "tmpfs"), World(), "file=1"),
        (("thp",), World(file=1), "huge=1"),
        (tuple(sorted(World().features))[:9], World(), "8 at most"),
    ],
)
def test_what_would_say_nothing_is_refused(features: tuple[str, ...], world: World, said: str) -> None:
    with pytest.raises(AblationError, match=said):
        check_features(features, world)


def test_an_unknown_feature_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="did you mean 'ksm'"):
        check_features(("kms",), World())
