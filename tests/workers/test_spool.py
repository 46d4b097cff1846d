"""Results wait on disk, each whole or not there, and belong to one database."""

import os
from pathlib import Path

import pytest

from db.campaign_values import ResultRecord
from db.errors import UnreachableDatabaseError
from workers.spool import Spool, SpooledResult, SpoolError


def result(ops: int = 100) -> ResultRecord:
    found = {"trace": "mmfuzz trace 1\n", "seed": 2**63 - 1, "count": 1, "options": {}, "violation": {}}
    return ResultRecord(4, 10, ops, b"\x00\xff\x80", "unit-00", [["lost-store", "anon", 3]], [found], 0.25, "worker")


def contents(spool: Spool) -> list[SpooledResult]:
    taken: list[SpooledResult] = []
    spool.deliver(taken.append)
    return taken


def test_what_was_put_is_delivered_as_it_was_and_then_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "made" / "by" / "put", "here")
    spool.put(7, 2, result())
    spool.put(8, 1, result(200))
    assert len(spool) == 2
    assert contents(spool) == [SpooledResult("here", 7, 2, result()), SpooledResult("here", 8, 1, result(200))]
    assert len(spool) == 0
    assert contents(spool) == []


def test_a_result_that_could_not_be_delivered_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "here")
    spool.put(7, 2, result())

    def refuse(_: SpooledResult) -> None:
        raise UnreachableDatabaseError("gone", "here", "wait")

    with pytest.raises(UnreachableDatabaseError):
        spool.deliver(refuse)
    assert len(spool) == 1


def test_results_for_another_database_are_left_alone(tmp_path: Path) -> None:
    ours, theirs = Spool(tmp_path, "here"), Spool(tmp_path, "there")
    theirs.put(7, 2, result())
    assert contents(ours) == []
    assert len(theirs) == 1


def test_a_half_written_file_is_no_result(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "here")
    (tmp_path / "unit-7-2.123.part").write_bytes(b'{"database": "here", "un')
    assert contents(spool) == []


def test_what_cannot_be_read_is_put_aside_and_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "here")
    (tmp_path / "unit-7-2.json").write_bytes(b"not ours")
    spool.put(8, 1, result())
    assert [each.unit_id for each in contents(spool)] == [8]
    assert (tmp_path / "unit-7-2.unreadable").read_bytes() == b"not ours"


def test_a_folder_that_cannot_be_written_is_told_with_its_file(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(SpoolError, match=r"file/unit-7-2\.json cannot be written: "):
        Spool(blocked, "here").put(7, 2, result())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """What would be written goes to the device that is always full."""
    (tmp_path / f"unit-7-2.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(SpoolError, match="No space left on device"):
        Spool(tmp_path, "here").put(7, 2, result())
    assert list(tmp_path.iterdir()) == []


def test_no_folder_holds_no_results(tmp_path: Path) -> None:
    assert contents(Spool(tmp_path / "none", "here")) == []
