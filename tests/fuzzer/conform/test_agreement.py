"""The figures of a tally."""

from fuzzer.conform.agreement import Agreement, OpAgreement, add_up, by_op, overall
from fuzzer.conform.compare import END, Masks, Tally
from fuzzer.conform.observables import smaps_mask, trusted_mask

NONE, PRESENT = 0, 2
DIRTY, KSM, TAIL, LRU = 1 << 3, 1 << 9, 1 << 21, 1 << 6
MASKS = Masks(trusted_mask(False), smaps_mask((6, 1)))


def figures(op: OpAgreement) -> dict[str, Agreement]:
    """The figures by observable."""
    return {each.observable: each for each in op.observables}


def counts(each: Agreement) -> tuple[int, int, int]:
    """Compared, agreed, places."""
    return each.compared, each.agreed, each.places


def tally() -> Tally:
    """Ten pages after a write, three of them different, and a read at the end."""
    made = Tally()
    made.results["write"].update({(0, 0): 3, (0, 22): 1})
    made.same["write"].update({NONE: 4, PRESENT: 2, PRESENT | TAIL: 1})
    made.pairs["write"].update({(PRESENT, PRESENT | DIRTY): 1, (NONE, PRESENT): 1, (PRESENT, PRESENT | LRU): 1})
    made.values[END].update({True: 9, False: 1})
    return made


def test_observable_is_compared_where_it_means_something_on_either_side() -> None:
    (write, end) = by_op(tally(), MASKS)
    found = figures(write)
    assert (write.op, write.runs, write.pages, write.agreeing_pages) == ("write", 4, 10, 8)
    assert counts(found["class"]) == (10, 9, 10)
    # 2 of the same, 3 of the pairs; not the tail.
    assert counts(found["dirty"]) == (5, 4, 10)
    assert counts(found["mapcount"]) == (6, 6, 10)
    assert counts(found["errno"]) == (4, 3, 4)
    assert counts(figures(end)["value"]) == (10, 9, 10)


def test_observable_that_is_not_trusted_is_counted_and_spoils_no_page() -> None:
    found = figures(by_op(tally(), MASKS)[0])
    assert not found["lru"].trusted
    assert counts(found["lru"]) == (5, 4, 10)


def test_shares() -> None:
    found = figures(by_op(tally(), MASKS)[0])
    assert found["dirty"].share == 0.8
    assert found["dirty"].share_of_places == 0.9
    assert Agreement("ksm", True, 0, 0, 0).share == 1.0
    assert Agreement("ksm", True, 0, 0, 0).share_of_places == 1.0


def test_masked_observable_has_no_figures() -> None:
    masked = Masks(trusted_mask(True), smaps_mask((6, 12)))
    assert "ksm" not in figures(by_op(tally(), masked)[0])
    assert "ksm" in figures(by_op(tally(), MASKS)[0])


def test_smaps_fields_have_figures_where_they_were_read() -> None:
    made = tally()
    assert not [name for name in figures(by_op(made, MASKS)[0]) if name.startswith("smaps")]
    made.smaps_same["write"] = 8
    made.smaps_pairs["write"][1, 1 | 1 << 8] = 2
    found = figures(by_op(made, MASKS)[0])
    assert counts(found["smaps-Swap"]) == (10, 8, 10)
    assert counts(found["smaps-Rss"]) == (10, 10, 10)
    assert "smaps-KSM" not in found
    assert not found["smaps-Referenced"].trusted


def test_figures_add_up_over_ops_and_files() -> None:
    ops = by_op(tally(), MASKS)
    both = add_up([ops, ops])
    assert [(op.op, op.runs, op.pages, op.agreeing_pages) for op in both] == [("write", 8, 20, 16), (END, 0, 0, 0)]
    sums = {each.observable: counts(each) for each in overall(both)}
    assert sums["dirty"] == (10, 8, 20)
    assert sums["value"] == (20, 18, 20)
