"""Saving: whole, repeatable, and never losing what was found before."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta, timezone
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import event, text

from db import queries, store
from db.database import Database, open_database
from db.errors import BadRecordError, DatabaseError, UnknownIdError
from db.values import FailureRecord, RunTotals


def _start(database: Database, records: Any, **changes: Any) -> str:
    with database.write() as session:
        return store.start_run(session, records.run(**changes))


def _save(database: Database, run: str, *failures: FailureRecord) -> tuple[str, ...]:
    with database.write() as session:
        return store.save_failures(session, run, failures)


def _failure(database: Database, number: int = 1) -> Any:
    with database.read() as session:
        return queries.get_failure(session, f"fail-{number:010x}")


def test_failure_comes_back_as_it_was_saved(database: Database, records: Any) -> None:
    run = _start(database, records)
    record = records.failure(seed=2**63 - 1, count=2**63 - 1, reason="ümläut, 'quote', %wild_ \N{SNOWMAN}")
    assert _save(database, run, record) == ("new",)
    stored = _failure(database)
    for name in ("id", "signature", "oracle", "cls", "kind", "verdict", "reason", "seed", "count"):
        assert getattr(stored, name) == getattr(record, name), name
    for name in ("violation", "cause", "minimization", "options", "versions"):
        assert getattr(stored, name) == dict(getattr(record, name)), name
    assert stored.original.trace() == record.original
    assert stored.minimized.trace() == record.minimized
    assert (stored.minimized.ops, stored.minimized.digest) == (3, record.minimized.digest)
    assert (stored.kernel_name, stored.kernel_digest) == (records.kernel.name, records.kernel.digest)
    assert stored.reference_digest == records.patched.digest
    assert (stored.first_seen, stored.last_seen, stored.runs) == (record.seen, record.seen, 1)


def test_failure_may_have_no_reference_kernel(database: Database, records: Any) -> None:
    _save(database, _start(database, records), records.failure(reference=None))
    assert _failure(database).reference_digest is None


def test_saving_twice_changes_nothing(database: Database, records: Any, dump: Any) -> None:
    run = _start(database, records)
    failures = [records.failure(1, count=5), records.failure(2, ops=4)]
    assert _save(database, run, *failures) == ("new", "new")
    before = dump(database)
    assert _start(database, records) == run
    assert _save(database, run, *failures) == ("known", "known")
    assert _save(database, run, *failures, *failures) == ("known",) * 4
    assert dump(database) == before


def test_count_is_the_sum_over_runs_and_never_goes_back(database: Database, records: Any) -> None:
    first, second = (_start(database, records, seed=seed) for seed in (1, 2))
    for run, count in ((first, 3), (first, 5), (first, 4), (second, 10), (first, 5)):
        _save(database, run, records.failure(count=count))
    stored = _failure(database)
    assert (stored.count, stored.runs) == (15, 2)


def test_shorter_trace_is_shown_and_the_longer_one_kept(database: Database, records: Any) -> None:
    first, second = (_start(database, records, seed=seed) for seed in (1, 2))
    longer = records.failure(ops=5, seed=11)
    shorter = records.failure(ops=3, seed=22, reason="lost after three ops", options={"length": 9})
    assert _save(database, first, longer) == ("new",)
    assert _save(database, second, shorter) == ("simpler",)
    assert _save(database, first, longer) == ("known",)
    stored = _failure(database)
    assert stored.minimized.trace() == shorter.minimized
    assert stored.original.trace() == shorter.original
    assert (stored.seed, stored.reason, stored.options) == (22, "lost after three ops", {"length": 9})
    with database.read() as session:
        findings = queries.list_findings(session, stored.id)
        assert [(f.minimized_ops, f.run, f.seed) for f in findings] == [(3, second, 22), (5, first, 11)]
        for trace in (longer.original, longer.minimized):
            assert queries.get_trace(session, trace.digest).trace() == trace


def test_of_two_shorter_traces_saved_at_once_the_shortest_stays(database: Database, records: Any) -> None:
    """One writer has compared its trace and is about to store it when the other comes with a shorter one."""
    runs = [_start(database, records, seed=seed) for seed in (1, 2)]
    _save(database, runs[0], records.failure(ops=5))
    pending: list[Future[tuple[str, ...]]] = []

    def come_between(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE failure") and not pending:
            pending.append(other.submit(_save, database, runs[1], records.failure(ops=3)))
            wait(pending, timeout=0.5)

    event.listen(database.engine, "before_cursor_execute", come_between)
    with ThreadPoolExecutor(1) as other:
        assert _save(database, runs[0], records.failure(ops=4)) == ("simpler",)
        assert pending[0].result(timeout=30) == ("simpler",)
    assert _failure(database).minimized.trace() == records.long_trace(3)


def test_of_traces_equally_short_the_same_one_is_shown_in_whatever_order_they_come(
    database: Database, records: Any
) -> None:
    run = _start(database, records)
    plain = records.failure()
    longer_text = records.failure(minimized=records.long_trace(3, token=12))
    other_original = records.failure(original=records.long_trace(9, token=4))
    shown = set()
    for number, order in enumerate(permutations((plain, longer_text, other_original)), start=1):
        named = [replace(each, id=f"fail-{number:010x}", signature=f"sig-{number:012x}") for each in order]
        _save(database, run, *named)
        stored = _failure(database, number)
        shown.add((stored.minimized.digest, stored.original.digest))
    first = min(plain.original.digest, other_original.original.digest)
    assert shown == {(plain.minimized.digest, first)}


def test_order_of_saving_does_not_matter(target: str, records: Any) -> None:
    runs = [records.run(seed=seed) for seed in (1, 2)]
    findings = [
        (0, records.failure(ops=5, count=2, seen=records.at(5))),
        (1, records.failure(ops=3, count=3, seen=records.at(1))),
        (0, records.failure(ops=4, count=7, seen=records.at(9))),
        (1, records.failure(ops=6, count=1, seen=records.at(2))),
    ]
    seen = set()
    with open_database(target) as database:
        for number, order in enumerate(permutations(findings), start=1):
            with database.write() as session:
                ids = [store.start_run(session, run) for run in runs]
                for run, finding in order:
                    named = replace(finding, id=f"fail-{number:010x}", signature=f"sig-{number:012x}")
                    store.save_failure(session, ids[run], named)
            f = _failure(database, number)
            seen.add((f.minimized.digest, f.count, f.runs, f.first_seen, f.last_seen))
    assert seen == {(findings[1][1].minimized.digest, 10, 2, records.at(1), records.at(9))}


def test_kernels_of_the_same_rows_are_one_and_runs_keep_the_name_they_were_asked_by(
    database: Database, records: Any
) -> None:
    renamed = replace(records.kernel, name="mine")
    run = _start(database, records, kernel=renamed)
    _start(database, records)
    with database.read() as session:
        assert queries.get_run(session, run).kernel_name == "mine"
        assert queries.get_kernel(session, records.kernel.digest).name == "mine"
        assert {r.kernel_digest for r in queries.list_runs(session)} == {records.kernel.digest}


def test_failure_of_a_run_that_was_not_started_is_refused(database: Database, records: Any, dump: Any) -> None:
    before = dump(database)
    with pytest.raises(UnknownIdError, match="no such run"):
        _save(database, "run-0123456789", records.failure())
    assert dump(database) == before


def test_run_tells_how_far_it_has_come_until_it_ends(database: Database, records: Any) -> None:
    run = _start(database, records)
    with database.read() as session:
        started = queries.get_run(session, run)
    assert (started.state, started.ended, started.traces, started.heard) == (
        "running",
        None,
        0,
        records.start,
    )
    with database.write() as session:
        store.report_run(session, run, RunTotals(1.5, 100, 4000, 17), records.at(1))
        reported = queries.get_run(session, run)
    assert (reported.state, reported.seconds, reported.traces, reported.ops) == ("running", 1.5, 100, 4000)
    assert (reported.rows_covered, reported.heard) == (17, records.at(1))
    with database.write() as session:
        store.finish_run(session, run, "stopped", RunTotals(3.0, 200, 8000, 18), records.at(2))
        ended = queries.get_run(session, run)
    assert (ended.state, ended.ended, ended.heard) == ("stopped", records.at(2), records.at(2))
    assert (ended.seconds, ended.traces, ended.rows_covered) == (3.0, 200, 18)


def test_run_that_has_ended_is_not_changed_any_more(database: Database, records: Any, dump: Any) -> None:
    run = _start(database, records)
    with database.write() as session:
        store.finish_run(session, run, "done", RunTotals(traces=2), records.at(2))
    before = dump(database)
    with database.write() as session:
        store.report_run(session, run, RunTotals(traces=1), records.at(1))
        store.finish_run(session, run, "stopped", RunTotals(traces=3), records.at(3))
        assert store.start_run(session, records.run()) == run
        assert store.declare_dead(session, records.at(10)) == 0
    assert dump(database) == before


def test_run_that_was_silent_is_dead_until_it_speaks_again(database: Database, records: Any) -> None:
    silent, lively = (_start(database, records, seed=seed) for seed in (1, 2))
    with database.write() as session:
        store.report_run(session, lively, RunTotals(), records.at(9))
        assert store.declare_dead(session, records.at(5)) == 1
        assert queries.get_run(session, silent).state == "died"
        assert queries.get_run(session, silent).ended == records.start
        assert queries.get_run(session, lively).state == "running"
        store.report_run(session, silent, RunTotals(traces=1), records.at(10))
        assert (queries.get_run(session, silent).state, queries.get_run(session, silent).ended) == (
            "running",
            None,
        )


def test_run_that_was_not_started_cannot_be_changed(database: Database, records: Any) -> None:
    unknown = "run-0123456789"
    with pytest.raises(UnknownIdError, match=unknown), database.write() as session:
        store.report_run(session, unknown, RunTotals(), records.at(1))
    with pytest.raises(UnknownIdError, match=unknown), database.write() as session:
        store.finish_run(session, unknown, "done", RunTotals(), records.at(1))


def test_run_id_depends_on_everything_asked_and_on_the_time(records: Any) -> None:
    runs = [
        records.run(),
        records.run(seed=2),
        records.run(engine="swarm"),
        records.run(options={}),
        records.run(kernel=records.patched),
        records.run(started=records.at(1)),
    ]
    assert len({run.id for run in runs}) == len(runs)
    assert records.run().id == records.run().id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cls": "danger"}, "it can be safety, liveness, cost"),
        ({"verdict": "MAYBE"}, "it can be PASS, FAIL, UNKNOWN, SKIPPED"),
        ({"seed": 2**63}, "63 bits"),
        ({"seed": -1}, "63 bits"),
        ({"count": 0}, "it can be 1 to"),
        ({"options": {"rate": float("nan")}}, "options cannot be written as JSON"),
        ({"cause": {"rows": {1, 2}}}, "cause cannot be written as JSON"),
        ({"options": {"path": "\udcff"}}, "options cannot be written as JSON"),
        ({"options": {"path": "\0"}}, "NUL"),
        ({"reason": "\0"}, "NUL"),
    ],
)
def test_record_that_no_database_takes_is_refused_when_it_is_made(
    records: Any, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadRecordError, match=said):
        records.failure(**change)


def test_record_without_a_time_zone_is_refused(records: Any) -> None:
    zoneless = records.start.replace(tzinfo=None)
    with pytest.raises(BadRecordError, match="seen has no time zone"):
        records.failure(seen=zoneless)
    with pytest.raises(BadRecordError, match="started has no time zone"):
        records.run(started=zoneless)


def test_time_without_a_zone_is_refused_by_the_store(database: Database, records: Any) -> None:
    run = _start(database, records)
    with pytest.raises(DatabaseError, match="without a time zone"), database.write() as session:
        store.report_run(session, run, RunTotals(), records.start.replace(tzinfo=None))


def test_times_come_back_in_utc_from_whatever_zone(database: Database, records: Any) -> None:
    east = records.start.astimezone(timezone(timedelta(hours=5, minutes=30)))
    _save(database, _start(database, records, started=east), records.failure(seen=east))
    stored = _failure(database)
    assert stored.first_seen == records.start
    assert stored.first_seen.utcoffset() == timedelta(0)


def test_sqlite_times_sort_as_text(records: Any) -> None:
    with open_database("sqlite://") as database:
        _start(database, records)
        with database.read() as session:
            assert session.execute(text("SELECT started FROM run")).scalar() == "2026-11-24 06:20:00.123456"
