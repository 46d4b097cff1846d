"""Campaigns as people read them, and as --json gives them."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cli.output import Screen, plural
from cli.progress import format_seconds, short_number
from db import campaign_queries as queries
from db.campaign_digest import campaign_digest
from db.campaign_values import Ledger, StoredCampaign, StoredEvent
from db.clock import database_now
from db.figures import canary_is_missed
from db.folds import cell_accounts
from db.queries import get_run
from db.units import run_ids
from db.values import StoredFailure
from fuzzer.campaign.rows import count_rows
from simcore.rules import TOTAL_ROWS
from workers.results import cell_state

STATE_STYLES = {
    "new": "dim",
    "running": "green",
    "draining": "green",
    "paused": "yellow",
    "done": "bold",
    "stopped": "bold",
}


@dataclass(frozen=True, slots=True)
class CellReport:
    """A cell: what it fuzzes, and what is known of it. `chance_of_news` is Good and Turing's estimate."""

    number: int
    run: str
    kernel: str
    world: str
    engine: str
    units: int
    traces: int
    ops: int
    rows_covered: int
    chance_of_news: float | None
    failures: tuple[StoredFailure, ...]


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A campaign, its ledger and its cells at one moment. `digest` is that of all that was found."""

    campaign: StoredCampaign
    ledger: Ledger
    cells: tuple[CellReport, ...]
    fuzzing_seconds: float
    digest: str
    now: datetime

    @property
    def ops_per_second(self) -> float:
        """Ops a second of the time it was running."""
        return self.ledger.ops / self.campaign.seconds if self.campaign.seconds > 0 else 0.0

    @property
    def failures(self) -> dict[str, StoredFailure]:
        """Failures of all cells, by id."""
        return {failure.id: failure for cell in self.cells for failure in cell.failures}

    def canary(self) -> str:
        """What became of the canaries, in words."""
        campaign = self.campaign
        if not campaign.spec["canary_minutes"]:
            return "none asked for"
        if canary_is_missed(campaign):
            return "MISSED: a failure that is there was not seen; nothing that is quiet here can be believed"
        if campaign.canary_caught is None:
            return "not executed yet"
        return f"caught {format_seconds((self.now - campaign.canary_caught).total_seconds())} ago"


def report_campaign(session: Session, name_or_id: str) -> CampaignReport:
    """All there is to say of a campaign."""
    now = database_now(session)
    campaign = queries.get_campaign(session, name_or_id, now)
    runs = run_ids(session, campaign.id)
    cells = []
    for account in cell_accounts(session, campaign.id):
        run = get_run(session, runs[account.cell])
        state = cell_state(account)
        cells.append(
            CellReport(
                account.cell,
                run.id,
                run.kernel_name,
                run.world_text,
                run.engine,
                account.units,
                account.traces,
                account.ops,
                count_rows(state.coverage.seen),
                state.coverage.chance_of_news(account.units),
                queries.failures_of_run(session, run.id),
            )
        )
    return CampaignReport(
        campaign,
        queries.ledger(session, campaign.id),
        tuple(cells),
        queries.unit_seconds(session, campaign.id),
        campaign_digest(session, campaign.id),
        now,
    )


def campaign_document(campaign: StoredCampaign) -> dict[str, object]:
    """A campaign as --json gives it."""
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "ended_by": campaign.ended_by,
        "priority": campaign.weight,
        "seed": campaign.seed,
        "seconds": round(campaign.seconds, 3),
        "created": campaign.created.isoformat(),
        "started": _iso(campaign.started),
        "ended": _iso(campaign.ended),
        "cloned_from": campaign.cloned_from,
        "results_version": campaign.results_version,
        "units_planned": campaign.next_number,
        "units_folded": campaign.folded_number,
    }


def report_document(report: CampaignReport) -> dict[str, object]:
    """A whole report as --json gives it."""
    campaign = report.campaign
    return campaign_document(campaign) | {
        "settings": campaign.spec,
        "digest": report.digest,
        "ops": report.ledger.ops,
        "traces": report.ledger.traces,
        "ops_per_second": round(report.ops_per_second),
        "fuzzing_seconds": round(report.fuzzing_seconds, 3),
        "news_at_ops": campaign.news_at_ops,
        "canary": {
            "state": report.canary(),
            "asked": _iso(campaign.canary_asked),
            "caught": _iso(campaign.canary_caught),
            "missed": _iso(campaign.canary_missed),
        },
        "ledger": ledger_document(report.ledger),
        "cells": [
            {
                "number": cell.number,
                "run": cell.run,
                "kernel": cell.kernel,
                "world": cell.world,
                "engine": cell.engine,
                "units": cell.units,
                "traces": cell.traces,
                "ops": cell.ops,
                "rows_covered": cell.rows_covered,
                "rows_total": TOTAL_ROWS,
                "chance_of_news": cell.chance_of_news,
                "failures": [{"id": f.id, "oracle": f.oracle, "kind": f.kind, "count": f.count} for f in cell.failures],
            }
            for cell in report.cells
        ],
    }


def ledger_document(ledger: Ledger) -> dict[str, object]:
    """A ledger as --json gives it."""
    return asdict(ledger) | {"balanced": ledger.balanced}


def print_ledger(screen: Screen, ledger: Ledger) -> None:
    """Print a ledger."""
    rows = [
        ("units", *_line(ledger, "units", "done")),
        ("seeds", *_line(ledger, "seeds", "executed")),
        (
            "samples",
            ledger.samples,
            ledger.samples_explained,
            ledger.samples_waiting,
            ledger.samples_quarantined,
            ledger.samples_withdrawn,
        ),
    ]
    screen.table(
        ("", "planned", "done", "outstanding", "quarantined", "withdrawn"),
        rows,
        right=("planned", "done", "outstanding", "quarantined", "withdrawn"),
    )
    screen.say(f"results {ledger.results:,}, traces {ledger.traces:,}, ops {ledger.ops:,}")
    screen.say(f"seeds that two units have: {ledger.seeds_twice}; that none has: {ledger.seeds_missing}")
    screen.say("balanced" if ledger.balanced else "NOT BALANCED", style="green" if ledger.balanced else "bold red")


def print_report(screen: Screen, report: CampaignReport) -> None:
    """Print a campaign with its cells and failures."""
    campaign, ledger = report.campaign, report.ledger
    ended = f" (by {campaign.ended_by})" if campaign.ended_by else ""
    screen.say(f"{campaign.name}  {campaign.id}  {campaign.state}{ended}", style=STATE_STYLES[campaign.state])
    screen.say(f"  running   {format_seconds(campaign.seconds)}; priority {campaign.weight}, seed {campaign.seed}")
    screen.say(
        f"  done      {short_number(ledger.ops)} ops in {plural(ledger.units_done, 'unit')},"
        f" {short_number(report.ops_per_second)} ops/s; {plural(ledger.units_outstanding, 'unit')} outstanding,"
        f" {ledger.units_quarantined} quarantined, ledger {'balanced' if ledger.balanced else 'NOT BALANCED'}"
    )
    since = report.campaign.news_at_ops
    screen.say(f"  news      the last new row or failure after {short_number(since)} ops")
    screen.say(f"  canary    {report.canary()}", style="bold red" if "MISSED" in report.canary() else "")
    screen.say(f"  digest    {report.digest}")
    screen.say()
    screen.table(
        ("cell", "kernel", "engine", "world", "ops", "rows", "P(new row)", "failures"),
        [
            (
                cell.number,
                cell.kernel,
                cell.engine,
                cell.world,
                short_number(cell.ops),
                cell.rows_covered,
                "" if cell.chance_of_news is None else f"{cell.chance_of_news:.3f}",
                len(cell.failures),
            )
            for cell in report.cells
        ],
        right=("cell", "ops", "rows", "P(new row)", "failures"),
    )


def print_events(screen: Screen, events: tuple[StoredEvent, ...]) -> None:
    """Print what happened, the last first."""
    screen.table(
        ("at", "what", "detail"),
        [(f"{event.at:%Y-%m-%d %H:%M:%S}", event.what, _words(event.detail)) for event in events],
    )


def _words(detail: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items())


def _line(ledger: Ledger, noun: str, done: str) -> tuple[int, ...]:
    names = ("planned", done, "outstanding", "quarantined", "withdrawn")
    return tuple(getattr(ledger, f"{noun}_{name}") for name in names)


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
