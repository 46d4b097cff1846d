"""Verdicts of real kernels: added, listed, never changed, and taken along by an export of everything."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import store
from db.confirmations import ConfirmationRecord, list_confirmations, save_confirmation
from db.database import Database, open_database
from db.errors import BadRecordError
from db.export_rows import export_rows
from db.import_rows import import_rows, read_header
from db.models import CONFIRMATIONS, FORMS
from fuzzer.real.forms import FORMS as TRIED_FORMS
from workers.targets.confirmation import VERDICTS

CONSOLE = "------------[ cut here ]------------\nkernel BUG at mm/rmap.c:1!\nü☃"


@pytest.fixture
def record(database: Database, records: Any) -> ConfirmationRecord:
    """A verdict on a failure that is stored."""
    with database.write() as session:
        run = store.start_run(session, records.run())
        failure = records.failure()
        store.save_failures(session, run, [failure, records.failure(2)])
    return ConfirmationRecord(
        failure_id=failure.id,
        trace_digest=failure.minimized.digest,
        target="debian-6.1",
        kernel_sha256="ab" * 32,
        release="6.1.0-test",
        swap="zram",
        verdict="confirmed",
        form="drained",
        failed=29,
        runs=30,
        unknown=1,
        reason="P0 page 0 reads zeros: the store of token 1 is lost",
        console=None,
        versions={"mmfuzz": "0.1.0", "accelerator": "tcg"},
        at=records.at(5),
    )


def save(database: Database, *records_: ConfirmationRecord) -> list[bool]:
    with database.write() as session:
        return [save_confirmation(session, each) for each in records_]


def test_a_verdict_comes_back_as_it_was_given(database: Database, record: ConfirmationRecord) -> None:
    assert save(database, replace(record, console=CONSOLE)) == [True]
    with database.read() as session:
        (stored,) = list_confirmations(session, record.failure_id)
        assert list_confirmations(session, "fail-0000000002") == ()
    given = replace(record, console=CONSOLE)
    assert {name: getattr(stored, name) for name in ConfirmationRecord.__slots__} == {
        name: getattr(given, name) for name in ConfirmationRecord.__slots__
    }
    assert stored.id == record.id
    assert stored.id.startswith("cnf-")


def test_the_last_verdict_comes_first_and_the_ones_before_it_stay(
    database: Database, record: ConfirmationRecord, records: Any
) -> None:
    later = replace(record, verdict="not confirmed", form=None, failed=0, at=records.at(9))
    earlier = replace(record, swap="virtio", at=records.at(1))
    assert save(database, record, later, earlier) == [True, True, True]
    with database.read() as session:
        stored = list_confirmations(session, record.failure_id)
    assert [each.at for each in stored] == [records.at(9), records.at(5), records.at(1)]
    assert [each.verdict for each in stored] == ["not confirmed", "confirmed", "confirmed"]


def test_a_verdict_saved_twice_is_one_and_stays_as_it_was(database: Database, record: ConfirmationRecord) -> None:
    assert save(database, record, replace(record, reason="another")) == [True, False]
    with database.read() as session:
        (stored,) = list_confirmations(session, record.failure_id)
    assert stored.reason == record.reason


def test_a_verdict_on_a_failure_that_is_not_stored_is_refused(database: Database, record: ConfirmationRecord) -> None:
    for lost in (replace(record, failure_id="fail-ffffffffff"), replace(record, trace_digest="trc-ffffffffffffffff")):
        with pytest.raises(IntegrityError):
            save(database, lost)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"swap": "disk"}, "no such swap device: 'disk'; it can be zram, virtio"),
        ({"verdict": "maybe"}, "no such verdict: 'maybe'"),
        ({"form": "shaken"}, "no such form: 'shaken'"),
        ({"form": None}, "a form that does not fit"),
        ({"verdict": "unknown"}, "a form that does not fit"),
        ({"failed": 31}, "counts that cannot be: 31 of 30"),
        ({"failed": -1}, "counts that cannot be"),
        ({"unknown": -1}, "counts that cannot be"),
        ({"console": "a\0b"}, "console holds a NUL"),
        ({"reason": "\0"}, "reason holds a NUL"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(record: ConfirmationRecord, changes: Any, said: str) -> None:
    with pytest.raises(BadRecordError, match=said):
        replace(record, **changes)


@pytest.mark.parametrize(
    "change", ["verdict = 'maybe'", "swap = 'disk'", "form = 'shaken'", "form = NULL", "failed = 31", "unknown = -1"]
)
def test_the_database_itself_refuses_it_too(database: Database, record: ConfirmationRecord, change: str) -> None:
    save(database, record)
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text(f"UPDATE confirmation SET {change}"))


def test_verdicts_and_forms_are_those_of_the_targets() -> None:
    assert CONFIRMATIONS == VERDICTS
    assert FORMS == TRIED_FORMS


def test_an_export_of_everything_takes_verdicts_along_and_one_of_failures_does_not(
    database: Database, record: ConfirmationRecord, tmp_path: Path, dump: Callable[[Database], Any]
) -> None:
    save(database, replace(record, console=CONSOLE), replace(record, swap="virtio"))
    written: list[bytes] = []
    assert export_rows(database, "all", "1.2.3", written.append)["confirmation"] == 2
    tables = [json.loads(line).get("table") for line in written]
    assert tables.index("confirmation") > max(tables.index("failure"), tables.index("trace"))
    with open_database(tmp_path / "other.db") as other:
        import_rows(other, read_header(written, "export"))
        assert dump(other) == dump(database)
    assert set(export_rows(database, "failures", "1.2.3", len)) == {"kernel", "trace", "failure"}
