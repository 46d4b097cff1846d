"""Real processes on one database: at once, and killed in the middle."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from db import queries, schema, store
from db.database import Database, open_database

# Forked, so that a child may run what a test defines. No engine is open in the parent when it forks.
FORK = multiprocessing.get_context("fork")
JOIN_SECONDS = 60
BARRIER_SECONDS = 20

WRITERS = 3
FAILURES = 8
ROUNDS = 3


def _in_processes(number: int, work: Callable[[int, Barrier], None]) -> None:
    """Run `work(index, barrier)` in so many processes and wait until all have done it."""
    # One that fails must not leave the others waiting for it.
    barrier = FORK.Barrier(number, timeout=BARRIER_SECONDS)
    processes = [FORK.Process(target=work, args=(index, barrier), daemon=True) for index in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(JOIN_SECONDS)
    assert [process.exitcode for process in processes] == [0] * number


def _check_soundness(database: Database) -> None:
    """What SQLite itself has to say; PostgreSQL has no such question."""
    if database.engine.dialect.name == "sqlite":
        with database.read() as session:
            assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []


def test_writers_at_once_lose_nothing(target: str, records: Any) -> None:
    """Each run saves the same failures again and again, in an order of its own, with ever shorter traces."""

    def write(index: int, barrier: Barrier) -> None:
        barrier.wait()
        with open_database(target) as database:
            with database.write() as session:
                run = store.start_run(session, records.run(seed=index))
            for turn in range(ROUNDS):
                numbers = [(number * (index + 1)) % FAILURES for number in range(FAILURES)]
                for number in dict.fromkeys([*numbers, *range(FAILURES)]):
                    ops = 2 + WRITERS * (ROUNDS - turn) + index
                    with database.write() as session:
                        store.save_failure(session, run, records.failure(number, ops=ops, count=turn + 1))

    _in_processes(WRITERS, write)
    with open_database(target, "read") as database:
        with database.read() as session:
            found = queries.list_failures(session)
            assert len(queries.list_runs(session)) == WRITERS
            assert [(f.count, f.runs) for f in found] == [(ROUNDS * WRITERS, WRITERS)] * FAILURES
            assert {f.minimized.ops for f in found} == {2 + WRITERS}
            for failure in found:
                assert len(queries.list_findings(session, failure.id)) == WRITERS * ROUNDS
        _check_soundness(database)


def test_batches_saved_at_once_in_opposite_orders_do_not_deadlock(target: str, records: Any) -> None:
    def write(index: int, barrier: Barrier) -> None:
        failures = [records.failure(number) for number in range(FAILURES)]
        with open_database(target) as database:
            barrier.wait()
            with database.write() as session:
                run = store.start_run(session, records.run(seed=index))
            for _ in range(ROUNDS):
                with database.write() as session:
                    store.save_failures(session, run, failures if index % 2 else failures[::-1])

    _in_processes(WRITERS, write)
    with open_database(target, "read") as database, database.read() as session:
        assert [f.runs for f in queries.list_failures(session)] == [WRITERS] * FAILURES


def test_processes_that_open_a_missing_database_at_once_all_get_it(request: pytest.FixtureRequest, target: str) -> None:
    targets = [target]
    if "://" in target:
        targets += [request.getfixturevalue("cluster").new_database() for _ in range(2)]
    else:
        targets += [f"{target}-{n}" for n in range(8)]

    def open_all(_index: int, barrier: Barrier) -> None:
        for each in targets:
            barrier.wait()
            open_database(each).close()

    _in_processes(4, open_all)
    for each in targets:
        open_database(each, "read").close()


def test_writer_killed_at_any_moment_loses_nothing_committed(target: str, records: Any) -> None:
    def write_for_ever(committed: Connection, first: int) -> None:
        with open_database(target) as database:
            with database.write() as session:
                run = store.start_run(session, records.run())
            number = first
            while True:
                with database.write() as session:
                    batch = [records.failure(n) for n in range(number, number + 3)]
                    store.save_failures(session, run, batch)
                number += 3
                committed.send(number)

    said = 0
    for commits in (1, 2, 5, 9):
        receiver, sender = FORK.Pipe(duplex=False)
        writer = FORK.Process(target=write_for_ever, args=(sender, said))
        writer.start()
        sender.close()
        for _ in range(commits):
            said = receiver.recv()
        writer.kill()
        writer.join(JOIN_SECONDS)
        assert writer.exitcode == -signal.SIGKILL
        while receiver.poll():
            try:
                said = receiver.recv()
            except EOFError:
                break
        with open_database(target) as database:
            with database.read() as session:
                stored = [int(f.id.removeprefix("fail-"), 16) for f in queries.list_failures(session)]
            # Whole transactions only: what was said to be committed, and perhaps one nobody could say.
            assert sorted(stored) in (list(range(said)), list(range(said + 3)))
            said = len(stored)
            _check_soundness(database)


def test_process_killed_while_it_makes_the_tables_leaves_a_place_that_can_be_used(
    target: str, records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_connection: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def make(_index: int, _barrier: Barrier) -> None:
        open_database(target)

    with monkeypatch.context() as patched:
        patched.setattr(schema, "_check_foreign_keys", die)
        process = FORK.Process(target=make, args=(0, None))
        process.start()
        process.join(JOIN_SECONDS)
        assert process.exitcode == -signal.SIGKILL
    with open_database(target) as database:
        with database.write() as session:
            store.start_run(session, records.run())
        _check_soundness(database)
