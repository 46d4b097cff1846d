"""The simulator agrees with what it showed itself, and with nothing else."""

from typing import Any

import msgspec
import pytest

from fuzzer.conform.compare import END, Disagreement, Masks, Tally, compare
from fuzzer.conform.observables import OBSERVABLES, SMAPS_NAMES, SMAPS_UNTRUSTED, smaps_mask, trusted_mask
from fuzzer.conform.reading import Reading
from fuzzer.conform.replay import prepare
from fuzzer.conform.world import Source, base_world
from simcore.core import new_machine
from simcore.kernel import Kernel

Record = dict[str, Any]
MASKS = Masks(trusted_mask(False), smaps_mask((6, 12)))
WORLD = base_world(Source("made-up", "main", "6.1", "zram"), 15)
WRITE, READ, FORK = 14, 7, 4


def disagreements(record: Record, kernel: Kernel, tally: Tally | None = None) -> list[Disagreement]:
    """What the simulator says of a record."""
    machine = new_machine()
    prepare(machine, kernel.rows, WORLD)
    return compare(machine, msgspec.convert(record, Reading), MASKS, Tally() if tally is None else tally)


def test_reading_by_the_simulator_agrees_with_it(record: Record, kernel: Kernel) -> None:
    tally = Tally()
    assert disagreements(record, kernel, tally) == []
    assert not any(tally.pairs.values())
    assert sum(counts.total() for counts in tally.results.values()) == len(record["ops"])
    assert tally.values[END] == {True: 12}


@pytest.mark.parametrize("observable", OBSERVABLES, ids=lambda each: each.name)
def test_change_of_a_page_is_seen_in_its_observable_if_that_is_trusted(
    record: Record, kernel: Kernel, observable: Any
) -> None:
    record["st"][WRITE][0][5] ^= 1 << observable.shift
    tally = Tally()
    found = disagreements(record, kernel, tally)
    real = record["st"][WRITE][0][5]
    simulated = real ^ 1 << observable.shift
    expected = [Disagreement(WRITE, 0, 5, observable.name, simulated, real)] if observable.trusted else []
    assert found == expected
    assert tally.pairs["write"] == {(simulated, real): 1}


def test_change_of_several_observables_is_seen_in_each(record: Record, kernel: Kernel) -> None:
    record["st"][WRITE][0][5] ^= 1 << 3 | 1 << 22
    assert [each.observable for each in disagreements(record, kernel)] == ["dirty", "soft-dirty"]


def test_change_of_a_result_is_seen(record: Record, kernel: Kernel) -> None:
    record["res"][WRITE][0] = 14
    assert disagreements(record, kernel) == [Disagreement(WRITE, 0, 5, "errno", 0, 14)]


def test_change_of_a_value_is_seen(record: Record, kernel: Kernel) -> None:
    record["res"][READ][1] = 9
    assert disagreements(record, kernel) == [Disagreement(READ, 0, 4, "value", 0, 9)]


def test_change_of_the_node_a_page_moved_to_is_seen(record: Record, kernel: Kernel) -> None:
    at = next(i for i, op in enumerate(record["ops"]) if op[0] == "migrate")
    record["res"][at][1] ^= 1
    assert [each.observable for each in disagreements(record, kernel)] == ["value"]


def test_change_of_a_value_read_at_the_end_is_seen(record: Record, kernel: Kernel) -> None:
    record["fin"][0][5] = 77
    (found,) = disagreements(record, kernel)
    assert (found.at, found.process, found.page, found.observable, found.real) == (
        len(record["ops"]),
        0,
        5,
        "value",
        77,
    )


def test_process_that_is_not_there_is_seen(record: Record, kernel: Kernel) -> None:
    record["st"][FORK][1] = None
    assert disagreements(record, kernel) == [Disagreement(FORK, 1, 0, "alive", 1, 0)]
    record["st"][FORK - 1].append([0] * 12)
    assert disagreements(record, kernel)[0] == Disagreement(FORK - 1, 1, 0, "alive", 0, 1)


def test_reading_is_compared_to_its_end_without_being_followed(record: Record, kernel: Kernel) -> None:
    record["st"][WRITE][0][5] ^= 1 << 3
    record["st"][WRITE + 1][0][5] ^= 1 << 3
    assert [each.at for each in disagreements(record, kernel)] == [WRITE, WRITE + 1]


@pytest.mark.parametrize("name", SMAPS_NAMES)
def test_change_of_smaps_is_seen_if_the_field_is_trusted(smaps_record: Record, kernel: Kernel, name: str) -> None:
    smaps_record["sm"][0][0][0] ^= 1 << SMAPS_NAMES.index(name)
    found = [each.observable for each in disagreements(smaps_record, kernel)]
    assert found == ([] if name in SMAPS_UNTRUSTED else [f"smaps-{name}"])


def test_tallies_add_up(record: Record, kernel: Kernel) -> None:
    one, two = Tally(), Tally()
    disagreements(record, kernel, one)
    disagreements(record, kernel, two)
    disagreements(record, kernel, two)
    one.add(one_more := Tally())
    assert one_more == Tally()
    one.add(one)
    assert one == two
