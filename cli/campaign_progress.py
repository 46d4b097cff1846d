"""How far a campaign has come, while somebody looks: a live line on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.text import Text

from cli.campaign_text import CampaignReport
from cli.output import Screen, plural
from cli.progress import format_seconds, short_number
from simcore.rules import TOTAL_ROWS

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def follow_campaign(screen: Screen) -> Iterator[Callable[[CampaignReport], None]]:
    """What shows a report from now on, on stderr."""
    if screen.err.is_terminal and not screen.err.is_dumb_terminal:
        with Live(console=screen.err, transient=True, auto_refresh=False) as live:
            yield lambda report: live.update(
                Text(progress_line(report), no_wrap=True, overflow="ellipsis"), refresh=True
            )
        return
    shown = 0.0

    def show(report: CampaignReport) -> None:
        nonlocal shown
        if time.monotonic() - shown >= SECONDS_BETWEEN_LINES:
            screen.note(progress_line(report))
            shown = time.monotonic()

    yield show


def progress_line(report: CampaignReport) -> str:
    """All in one line."""
    campaign, ledger = report.campaign, report.ledger
    rows = max((cell.rows_covered for cell in report.cells), default=0)
    return (
        f"{campaign.name} {campaign.state} {format_seconds(campaign.seconds)}: {short_number(ledger.ops)} ops,"
        f" {short_number(report.ops_per_second)}/s, {rows} of {TOTAL_ROWS} rows,"
        f" {plural(len(report.failures), 'failure')}, {plural(ledger.samples_waiting, 'sample')} waiting{_left(report)}"
    )


def _left(report: CampaignReport) -> str:
    """How long it will go on, by the budget that is used up first."""
    budget = report.campaign.spec["budget"]
    left = []
    if budget["seconds"] is not None:
        left.append(budget["seconds"] - report.campaign.seconds)
    if budget["ops"] is not None and report.ops_per_second > 0:
        left.append((budget["ops"] - report.ledger.ops) / report.ops_per_second)
    return f", {format_seconds(max(0.0, min(left)))} left" if left else ""
