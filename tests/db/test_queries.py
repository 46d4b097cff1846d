"""Asking: filters, the beginnings of ids, and what comes back."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from db import queries, store
from db.database import Database
from db.errors import AmbiguousIdError, BadFilterError, DamagedDatabaseError, UnknownIdError, UnreadableError
from db.values import FailureFilter


@pytest.fixture
def filled(database: Database, records: Any) -> Database:
    """Four failures by two runs on two kernels."""
    failures = [
        records.failure(0x1A, seen=records.at(1)),
        records.failure(0x1B, seen=records.at(3), oracle="lazyfree", cls="cost", kind="swapin"),
        records.failure(0x2C, seen=records.at(2), kernel=records.patched, reference=None),
        records.failure(0x2D, seen=records.at(2), minimized=records.trace("madv_free 0 1", "reclaim")),
    ]
    with database.write() as session:
        first = store.start_run(session, records.run(seed=1))
        second = store.start_run(session, records.run(seed=2, kernel=records.patched, started=records.at(1)))
        store.save_failures(session, first, failures[:2])
        store.save_failures(session, second, failures[2:])
    return database


def _numbers(database: Database, limit: int | None = None, **wanted: Any) -> list[int]:
    with database.read() as session:
        found = queries.list_failures(session, FailureFilter(**wanted), limit)
        return [int(failure.id.removeprefix("fail-"), 16) for failure in found]


def test_failures_are_listed_with_the_last_seen_first(filled: Database) -> None:
    assert _numbers(filled) == [0x1B, 0x2C, 0x2D, 0x1A]
    assert _numbers(filled, limit=2) == [0x1B, 0x2C]
    assert _numbers(filled, limit=0) == []


FILTERS: tuple[tuple[dict[str, Any], list[int]], ...] = (
    ({"oracle": "lazyfree"}, [0x1B]),
    ({"oracle": "lazy"}, []),
    ({"cls": "safety"}, [0x2C, 0x2D, 0x1A]),
    ({"kind": "swapin"}, [0x1B]),
    ({"signature": "sig-0000000000"}, [0x1B, 0x2C, 0x2D, 0x1A]),
    ({"signature": "sig-00000000002d"}, [0x2D]),
    ({"signature": "sig-%"}, []),
    ({"text": "madv_free 0 1"}, [0x2D]),
    ({"text": "MADV_FREE"}, [0x2D]),
    ({"text": "madv%free"}, []),
    ({"text": "write_0"}, []),
    ({"kernel": "linux-4.0-rc7-mm1+dirty-on-swapin"}, [0x2C]),
    ({"kernel": "linux-4.0-rc7-mm1"}, [0x1B, 0x2D, 0x1A]),
    ({"kernel": "linux-4.0"}, []),
    ({"cls": "safety", "text": "write"}, [0x2C, 0x1A]),
)


def test_filter_lists_what_matches(filled: Database) -> None:
    for wanted, numbers in FILTERS:
        assert _numbers(filled, **wanted) == numbers, wanted


def test_filter_takes_a_kernel_by_the_beginning_of_its_digest(filled: Database, records: Any) -> None:
    assert _numbers(filled, kernel=records.patched.digest[:12]) == [0x2C]


def test_filter_takes_a_kernel_by_a_name_under_which_it_did_not_fail_first(filled: Database, records: Any) -> None:
    with filled.write() as session:
        store.start_run(session, records.run(kernel=replace(records.patched, name="mine")))
    assert _numbers(filled, kernel="mine") == [0x2C]


def test_filter_takes_a_run(filled: Database, records: Any) -> None:
    assert _numbers(filled, run=records.run(seed=1).id) == [0x1B, 0x1A]


def test_filter_for_a_class_that_does_not_exist_names_those_that_do(filled: Database) -> None:
    with pytest.raises(BadFilterError, match="'danger'; it can be safety, liveness, cost"):
        _numbers(filled, cls="danger")


def test_failure_is_found_by_its_id(filled: Database) -> None:
    with filled.read() as session:
        for given in ("fail-000000001a", "000000001a"):
            assert queries.get_failure(session, given).id == "fail-000000001a"


def test_failure_is_found_by_a_beginning_that_fits_no_other(database: Database, records: Any) -> None:
    with database.write() as session:
        run = store.start_run(session, records.run())
        for number in (0xAB00000000, 0xAC00000000):
            store.save_failure(session, run, records.failure(number))
        assert queries.get_failure(session, "ab").id == "fail-ab00000000"
        assert queries.get_failure(session, "fail-ac").id == "fail-ac00000000"
        with pytest.raises(AmbiguousIdError, match="fail-ab00000000, fail-ac00000000"):
            queries.get_failure(session, "a")


def test_many_failures_that_begin_alike_are_not_all_named(database: Database, records: Any) -> None:
    with database.write() as session:
        run = store.start_run(session, records.run())
        store.save_failures(session, run, [records.failure(number) for number in range(10)])
        with pytest.raises(AmbiguousIdError, match=r"fail-0000000004, \.\.\.\)"):
            queries.get_failure(session, "fail-0")


def test_what_is_no_id_is_told(database: Database) -> None:
    with database.read() as session:
        for given in ("", "fail-", "x", "fail-%", "trc-1a", "1A", "fail-1 ", "1a\n"):
            with pytest.raises(UnknownIdError, match="not the id of a failure"):
                queries.get_failure(session, given)


def test_id_that_is_not_stored_is_told(filled: Database) -> None:
    with filled.read() as session:
        for ask in (queries.get_failure, queries.get_trace, queries.get_kernel, queries.get_run):
            with pytest.raises(UnknownIdError, match=r"no such \w+ is stored: abcdef"):
                ask(session, "abcdef0123456789abcdef")


def test_trace_is_found_by_digest_and_reads_back_as_itself(filled: Database, records: Any) -> None:
    trace = records.trace("madv_free 0 1", "reclaim")
    with filled.read() as session:
        stored = queries.get_trace(session, trace.digest[:-4])
    assert stored.trace() == trace
    assert (stored.digest, stored.kernel_name, stored.ops) == (trace.digest, trace.kernel, 2)


def test_trace_whose_text_was_changed_is_told(filled: Database, records: Any) -> None:
    digest = records.trace("madv_free 0 1", "reclaim").digest
    for changed in ("replace(text, 'madv_free', 'madv_cold')", "'no trace'"):
        with filled.write() as session:
            session.execute(text(f"UPDATE trace SET text = {changed} WHERE digest = '{digest}'"))
            stored = queries.get_trace(session, digest)
        with pytest.raises(DamagedDatabaseError, match=digest):
            stored.trace()


def test_kernel_of_a_release_with_other_rules_is_told(filled: Database, records: Any) -> None:
    with filled.write() as session:
        session.execute(text("UPDATE kernel SET rules = '{}', parent = NULL"))
        with pytest.raises(UnreadableError, match="use the release that stored it"):
            queries.get_kernel(session, records.kernel.digest)


def test_kernel_reads_back_as_itself(filled: Database, records: Any) -> None:
    with filled.read() as session:
        for kernel in (records.kernel, records.patched):
            assert queries.get_kernel(session, kernel.digest) == kernel


def test_runs_are_listed_with_the_last_started_first(filled: Database, records: Any) -> None:
    with filled.read() as session:
        runs = queries.list_runs(session)
        assert [(run.seed, run.failures) for run in runs] == [(2, 2), (1, 2)]
        assert queries.list_runs(session, limit=1) == runs[:1]
        run = queries.get_run(session, records.run(seed=1).id[:-2])
    assert run.options == records.run().options
    assert (run.engine, run.versions, run.rows_total) == (
        "random",
        {"mmfuzz": "0.1.0"},
        len(records.kernel.rows),
    )
    assert run.started == records.start
