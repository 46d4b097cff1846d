"""One text for all that a campaign has found, so that two executions of the same settings can be compared."""

import hashlib

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from db.campaign_queries import unit_digest
from db.json_text import to_json_text
from db.models import RunFailureRow, RunKeyRow, RunRow, SampleRow


def campaign_digest(session: Session, campaign_id: str) -> str:
    """The text "sum-" and 16 hex digits: coverage, counts, chosen samples with the failures they are, every outcome.

    The same settings give the same digest, whoever executed them and whatever else the database holds.
    """
    of_campaign = RunRow.campaign_id == campaign_id
    cells = select(RunRow.cell, RunRow.units, RunRow.traces, RunRow.ops, RunRow.rows_seen, RunRow.rows_again)
    keys = select(RunRow.cell, RunKeyRow.oracle, RunKeyRow.kind, RunKeyRow.count, RunKeyRow.later_samples)
    # Not their positions: whether a worker still sends samples of a settled key depends on when it claimed its unit.
    # Nor their counts: how a key's traces are shared out among its samples depends on whether the unit was split.
    samples = select(RunRow.cell, SampleRow.number, SampleRow.trace_digest, SampleRow.failure_id)
    failures = select(RunRow.cell, RunFailureRow.failure_id, RunFailureRow.count)
    parts = [
        cells.where(of_campaign),
        keys.join(RunRow, RunRow.id == RunKeyRow.run_id).where(of_campaign),
        samples.join(RunRow, RunRow.id == SampleRow.run_id).where(of_campaign),
        failures.join(RunRow, RunRow.id == RunFailureRow.run_id).where(of_campaign),
    ]
    found = [sorted(map(_line, session.execute(part))) for part in parts]
    return "sum-" + hashlib.sha256(to_json_text([found, unit_digest(session, campaign_id)]).encode()).hexdigest()[:16]


def _line(row: Row[*tuple[object, ...]]) -> str:
    return " ".join(value.hex() if isinstance(value, bytes) else str(value) for value in row)
