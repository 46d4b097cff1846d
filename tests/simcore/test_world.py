"""Worlds: their text and JSON, what they refuse, and the numbers they give the core."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import UnknownName, WorldError
from simcore.features import ALL_FEATURES, FEATURES
from simcore.world import TEXT_FIELDS, World


@st.composite
def worlds(draw: st.DrawFn) -> World:
    pages = draw(st.integers(1, 24))
    return World(
        processes=draw(st.integers(1, 4)),
        pages=pages,
        frames=draw(st.integers(2, 128)),
        slots=draw(st.integers(0, 128)),
        memcgs=draw(st.integers(1, 2)),
        mergeable=draw(st.integers(0, pages)),
        swap=draw(st.sampled_from(["disk", "zram"])),
        features=draw(st.frozensets(st.sampled_from(sorted(ALL_FEATURES)))),
    )


@given(worlds())
def test_world_survives_its_text(world: World) -> None:
    assert World.parse(str(world)) == world


@given(worlds())
def test_world_survives_its_json(world: World) -> None:
    assert World.from_json(world.to_json()) == world


def test_world_text_is_this_line() -> None:
    world = World(processes=1, pages=1, frames=4, slots=2, mergeable=0).without(["memcg", "ksm"])
    assert str(world) == ("processes=1 pages=1 frames=4 slots=2 memcgs=1 mergeable=0 swap=disk without=ksm,memcg")


def test_world_text_names_every_field() -> None:
    assert {field.name for field in fields(World)} - {"features"} == set(TEXT_FIELDS) - {"without"}


def test_world_text_without_a_field_means_its_default() -> None:
    assert World.parse("") == World()
    assert World.parse("  frames=4\tswap=zram ") == World(frames=4, swap="zram")


def test_world_takes_features_out_for_good() -> None:
    world = World().without(["ksm"]).without(["memcg", "ksm"])
    assert world.missing == ("ksm", "memcg")
    assert world.features == ALL_FEATURES - {"ksm", "memcg"}


def test_world_encodes_to_the_numbers_of_the_core() -> None:
    world = World(3, 5, 20, 7, 2, 4, "zram", frozenset(["fork", "madv_dontneed"]))
    assert world.encode() == (3, 5, 20, 7, 2, 4, 0, 0, 1, 1, 1, 0b1001)


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("processes=5", "processes", "processes=5; it can be 1 to 4"),
        ("processes=0", "processes", "processes=0; it can be 1 to 4"),
        ("pages=25", "pages", "pages=25; it can be 1 to 24"),
        ("frames=1", "frames", "frames=1; it can be 2 to 128"),
        ("slots=129", "slots", "slots=129; it can be 0 to 128"),
        ("memcgs=3", "memcgs", "memcgs=3; it can be 1 to 2"),
        ("pages=1", "mergeable", "mergeable=2, but each process has pages=1; mergeable can be 0 to 1"),
        ("slots=-1", "slots", "slots='-1'; it can be 0 to 128"),
        ("slots=many", "slots", "slots='many'; it can be 0 to 128"),
        ("slots=", "slots", "slots=''; it can be 0 to 128"),
        (f"slots={'9' * 5000}", "slots", "it can be 0 to 128"),
        ("slots=²", "slots", "slots='²'; it can be 0 to 128"),
        ("swap=floppy", "swap", "swap='floppy'; it can be disk or zram"),
        ("page=1", "page", "unknown world field 'page'; did you mean 'pages'?"),
        ("pages=1 pages=2", "pages", "pages is given twice, as '1' and as '2'"),
        ("pages", "pages", "'pages' is no field; write field=value"),
        ("features=ksm", "features", "unknown world field 'features'"),
    ],
)
def test_world_text_error_names_field_value_and_range(text: str, field: str, message: str) -> None:
    with pytest.raises(WorldError) as caught:
        World.parse(text)
    assert message in str(caught.value)
    assert caught.value.field == field


@pytest.mark.parametrize("text", ["without=kms", "without=", "without=ksm,"])
def test_world_text_error_names_the_features_there_are(text: str) -> None:
    with pytest.raises(UnknownName, match=r"unknown feature .*There are: fork, mlock, .*ksm.*") as caught:
        World.parse(text)
    assert caught.value.existing == tuple(FEATURES)


def test_world_error_about_a_feature_offers_close_ones() -> None:
    with pytest.raises(UnknownName, match="unknown feature 'kms'; did you mean 'ksm'"):
        World().without(["kms"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a world is an object with the fields processes, pages"),
        ({"pages": "4"}, "pages=4; it can be 1 to 24"),
        ({"pages": True}, "pages=True; it can be 1 to 24"),
        ({"pages": 4.0}, "pages=4.0; it can be 1 to 24"),
        ({"pages": None}, "pages=None; it can be 1 to 24"),
        ({"swap": ["disk"]}, "it can be disk or zram"),
        ({"without": "ksm"}, "without='ksm'; it is a list of features"),
        ({"without": [1]}, "it is a list of features"),
        ({"wihtout": ["ksm"]}, "did you mean 'without'?"),
        ({1: 2}, "unknown world field '1'"),
    ],
)
def test_world_json_error_says_what_would_be_right(value: object, message: str) -> None:
    with pytest.raises(WorldError) as caught:
        World.from_json(value)
    assert message in str(caught.value)
