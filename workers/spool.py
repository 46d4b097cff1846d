"""Results that could not be delivered, kept on disk until the database is there again.

One file a result, written beside and renamed, so that a file is whole or not there. Delivering is by the same keys as
at first: a result that came too late changes nothing and is dropped.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from db.campaign_values import ResultRecord


class SpooledResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A result with the unit and the fence that it settles, and the database it belongs to."""

    database: str
    unit_id: int
    fence: int
    result: ResultRecord


class SpoolError(Exception):
    """The spool cannot be written; what is said names the file and the reason."""


class Spool:
    """The results in a folder that are for one database, `place`."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._place = place

    def put(self, unit_id: int, fence: int, result: ResultRecord) -> None:
        """Keep a result, safe against a crash of the machine. SpoolError where that cannot be."""
        data = msgspec.json.encode(SpooledResult(self._place, unit_id, fence, result))
        name = self._folder / f"unit-{unit_id}-{fence}.json"
        beside = name.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_whole(beside, data)
            beside.rename(name)
            _sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise SpoolError(f"{name} cannot be written: {error.strerror}") from error

    def deliver(self, take: Callable[[SpooledResult], object]) -> int:
        """Hand every result over and drop it; how many. An exception of `take` leaves its result where it is."""
        delivered = 0
        for file, result in self._results():
            take(result)
            file.unlink(missing_ok=True)
            delivered += 1
        return delivered

    def __len__(self) -> int:
        return sum(1 for _ in self._results())

    def _results(self) -> Iterator[tuple[Path, SpooledResult]]:
        for file in sorted(self._folder.glob("unit-*.json")):
            try:
                result = msgspec.json.decode(file.read_bytes(), type=SpooledResult)
            except msgspec.DecodeError:
                # Not ours, or damaged: out of the way, and kept for somebody to look at.
                with suppress(OSError):
                    file.rename(file.with_suffix(".unreadable"))
                continue
            except FileNotFoundError:
                # Another process has delivered it.
                continue
            if result.database == self._place:
                yield file, result


def _write_whole(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
