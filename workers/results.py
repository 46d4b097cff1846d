"""Outputs of units between the fuzzer and the database: the same values in the other's form."""

from collections.abc import Sequence

from db.campaign_values import (
    CellAccount,
    CorpusRecord,
    FoldRecord,
    ResultRecord,
    SampleRecord,
    StoredResult,
)
from fuzzer.campaign.fold import CellState, KeyAccount
from fuzzer.campaign.protocols import Fold, FoldedNumber, NumberedOutput
from fuzzer.campaign.rows import ROW_BYTES, Coverage, count_rows, pack_rows, unpack_rows
from fuzzer.campaign.samples import found_from_json, found_to_json
from fuzzer.campaign.work import UnitOutput, output_of
from fuzzer.merge import merge_results
from fuzzer.unit import UnitResult


def result_record(output: UnitOutput, seconds: float, worker: str) -> ResultRecord:
    """What is stored of a unit's output."""
    return ResultRecord(
        output.seeds,
        output.traces,
        output.ops,
        pack_rows(output.rows),
        output.digest,
        [[oracle, kind, count] for (oracle, kind), count in output.counts],
        [found_to_json(found) for found in output.samples],
        seconds,
        worker,
    )


def unit_output(record: ResultRecord) -> UnitOutput:
    """The output that was stored; the samples are those that had not been folded."""
    return UnitOutput(
        record.seeds,
        record.traces,
        record.ops,
        unpack_rows(record.rows),
        record.digest,
        tuple(((oracle, kind), count) for oracle, kind, count in record.counts),
        tuple(map(found_from_json, record.samples)),
    )


def numbered_outputs(results: Sequence[StoredResult]) -> list[NumberedOutput]:
    """Results in order, the parts of each split unit put together."""
    numbers: dict[int, list[StoredResult]] = {}
    for result in results:
        numbers.setdefault(result.number, []).append(result)
    return [_put_together(number, parts) for number, parts in numbers.items()]


def cell_state(account: CellAccount) -> CellState:
    """What is known of a cell."""
    keys = {key: KeyAccount(count, later) for key, (count, later) in account.keys.items()}
    coverage = Coverage(account.rows_seen.ljust(ROW_BYTES, b"\0"), account.rows_again.ljust(ROW_BYTES, b"\0"))
    return CellState(account.units, account.traces, account.ops, coverage, keys)


def fold_record(before: int, fold: Fold, accounts: Sequence[CellAccount]) -> FoldRecord:
    """All that a fold changes, as it is stored. `accounts` are those from before it."""
    changed = {each.output.cell for each in fold.numbers}
    return FoldRecord(
        folded_before=before,
        folded_after=before + len(fold.numbers),
        news_at_ops=fold.news_at_ops,
        accounts=tuple(_account(old, fold.states[old.cell]) for old in accounts if old.cell in changed),
        samples=tuple(sample for each in fold.numbers for sample in _samples(each)),
        corpus=tuple(
            CorpusRecord(each.output.cell, each.output.unit_ids[0], each.new_rows, count_rows(each.new_rows))
            for each in fold.numbers
            if count_rows(each.new_rows)
        ),
        unit_ids=tuple(unit_id for each in fold.numbers for unit_id in each.output.unit_ids),
    )


def _put_together(number: int, parts: Sequence[StoredResult]) -> NumberedOutput:
    ids = tuple(part.unit_id for part in parts)
    outputs = [unit_output(part.result) for part in parts if part.result is not None]
    cell = parts[0].cell
    if len(outputs) <= 1:
        return NumberedOutput(number, cell, outputs[0] if outputs else None, ids)
    merged = merge_results(_as_result(output) for output in outputs)
    together = output_of(merged, sum(output.seeds for output in outputs))
    counts: dict[tuple[str, str], int] = {}
    for output in outputs:
        for key, count in output.counts:
            counts[key] = counts.get(key, 0) + count
    return NumberedOutput(
        number,
        cell,
        UnitOutput(
            together.seeds,
            together.traces,
            together.ops,
            together.rows,
            together.digest,
            tuple(sorted(counts.items())),
            together.samples,
        ),
        ids,
    )


def _as_result(output: UnitOutput) -> UnitResult:
    return UnitResult(output.traces, output.ops, output.rows, output.samples, output.digest)


def _account(old: CellAccount, state: CellState) -> CellAccount:
    keys = {key: (account.count, account.later_samples) for key, account in state.keys.items()}
    return CellAccount(
        old.cell, old.run_id, state.units, state.traces, state.ops, state.coverage.seen, state.coverage.again, keys
    )


def _samples(each: FoldedNumber) -> list[SampleRecord]:
    output = each.output.output
    if output is None:
        return []
    records = []
    for position in each.chosen:
        found = output.samples[position]
        value = found_to_json(found)
        trace = value.pop("trace")
        records.append(
            SampleRecord(
                each.output.cell,
                each.output.unit_ids[0],
                each.output.number,
                position,
                *found.key,
                found.count,
                trace,
                value,
            )
        )
    return records
