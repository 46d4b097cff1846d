"""What `mmfuzz doctor` looks at where campaigns run: processes, clocks, what nobody does, results that wait."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from cli.database import look_at, look_into
from cli.doctor_checks import check_space
from cli.doctor_finding import Finding
from cli.errors import CliError
from cli.output import plural
from cli.progress import format_seconds
from cli.settings import SPOOL_VARIABLE, choose_spool
from db.campaign_queries import list_campaigns, list_workers
from db.campaign_values import StoredCampaign, StoredWorker
from db.clock import database_now
from db.errors import DatabaseError
from db.figures import canary_is_missed
from db.units import WORKING
from fuzzer.results_version import RESULTS_VERSION
from workers.unit_worker import LEASE

LEASE_SECONDS = LEASE.total_seconds()
SKEW_SECONDS = 1.0
# Leases are judged by the database's clock alone, but whoever reads logs and times of failures is misled.
WRONG_SKEW_SECONDS = LEASE_SECONDS / 4

SET_CLOCK = "let NTP set the clock of that machine and of the database's"


def check_service(database: str) -> list[Finding]:
    """What a database says of campaigns and of the processes at work; nothing of one that is not there."""
    try:
        if look_at(database).schema != "current":
            return []
        with look_into(database) as session:
            findings = _clock_findings(session)
            now = database_now(session)
            workers = list_workers(session, now)
            campaigns = list_campaigns(session, now, states=(*WORKING, "paused"))
    except (DatabaseError, CliError):
        # That has its own finding.
        return []
    return [*findings, *worker_findings(workers), *campaign_findings(campaigns, workers)]


def check_spool(asked: Path | None, *, needed: bool) -> list[Finding]:
    """The folder for results that wait for the database; `needed` where workers would be started."""
    try:
        folder = choose_spool(asked)
    except CliError as error:
        return [Finding("spool", "note", str(error))]
    try:
        waiting = len(list(folder.glob("unit-*.json")))
        unreadable = len(list(folder.glob("unit-*.unreadable")))
        usable = _may_be_filled(folder)
    except OSError as error:
        return [Finding("spool", "wrong" if needed else "note", f"{folder}: {error.strerror}", _name_another())]
    findings = []
    if not usable:
        what = f"{folder} cannot be written: results are lost while the database is away"
        findings.append(Finding("spool", "wrong" if needed else "note", what, _name_another()))
    if waiting:
        mend = "a worker with this spool, or `campaign start --local`, delivers them to the database they are for"
        findings.append(Finding("spool", "note", f"{plural(waiting, 'result')} waiting in {folder}", mend))
    if unreadable:
        mend = "look at the files *.unreadable there, and remove them; their units were done again"
        findings.append(Finding("spool", "note", f"{plural(unreadable, 'result')} unreadable in {folder}", mend))
    if findings:
        return findings
    return [
        check_space("spool", folder.absolute() / "unit")
        if needed
        else Finding("spool", "ok", f"{folder}: nothing waits")
    ]


def clock_finding(whose: str, ahead: float) -> Finding | None:
    """What a clock that is so many seconds ahead of the database's means, if anything."""
    if abs(ahead) <= SKEW_SECONDS:
        return None
    what = f"{whose} is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the database's"
    return Finding("clock", "wrong" if abs(ahead) > WRONG_SKEW_SECONDS else "note", what, SET_CLOCK)


def worker_findings(workers: Sequence[StoredWorker]) -> list[Finding]:
    """What is to be said of the processes that a database knows."""
    heard = [worker for worker in workers if worker.silent <= LEASE_SECONDS]
    findings = [Finding("workers", "ok", f"{_by_role(heard)} heard in the last {LEASE_SECONDS:.0f} s")] if heard else []
    skews = [clock_finding(f"the clock of {worker.id} ({worker.role})", worker.clock_ahead) for worker in heard]
    findings += [skew for skew in skews if skew is not None]
    others = [worker for worker in heard if worker.results_version != RESULTS_VERSION]
    if others:
        what = f"other results than this installation's ({RESULTS_VERSION}): " + ", ".join(
            f"{worker.id} has {worker.results_version}" for worker in others
        )
        findings.append(
            Finding("workers", "note", what, "they serve only campaigns of their own release; upgrade them")
        )
    silent = [worker for worker in workers if worker.silent > LEASE_SECONDS]
    if silent:
        what = "silent, and never signed off: " + ", ".join(
            f"{worker.id} ({worker.role}) for {format_seconds(worker.silent)}" for worker in silent
        )
        mend = "they were killed or cannot reach the database; their units go to others, after a day they are forgotten"
        findings.append(Finding("workers", "note", what, mend))
    return findings


def campaign_findings(campaigns: Sequence[StoredCampaign], workers: Sequence[StoredWorker]) -> list[Finding]:
    """What is to be said of campaigns that are not over: seen to by nobody, served by nobody, blind."""
    heard = [worker for worker in workers if worker.silent <= LEASE_SECONDS]
    findings = [
        Finding(
            "campaigns",
            "wrong",
            f"{campaign.name} missed its last canary: what is quiet there cannot be believed",
            f"`mmfuzz campaign pause {campaign.name}`, and run doctor on its workers' machines",
        )
        for campaign in campaigns
        if canary_is_missed(campaign)
    ]
    working = [campaign for campaign in campaigns if campaign.state in WORKING]
    alone = [campaign for campaign in working if not _is_coordinated(campaign, heard)]
    if alone:
        mend = f"`mmfuzz coordinator` for all, or `mmfuzz campaign start {alone[0].name} --local`"
        findings.append(Finding("campaigns", "note", f"nobody coordinates {_names(alone)}", mend))
    unserved = [campaign for campaign in working if campaign not in alone and not _is_served(campaign, heard)]
    if unserved:
        versions = ", ".join(sorted({campaign.results_version for campaign in unserved}))
        what = f"no worker serves {_names(unserved)} (results {versions})"
        mend = "start `mmfuzz worker` of the release that made them, or clone them for this one"
        findings.append(Finding("campaigns", "note", what, mend))
    return findings or [
        Finding("campaigns", "ok", f"{len(working)} working, all seen to" if working else "none is working")
    ]


def _clock_findings(session: Session) -> list[Finding]:
    """The clock of this machine against that of a server's; half of the time that asking takes is the answer's."""
    if session.get_bind().dialect.name != "postgresql":
        return []
    before = datetime.now(UTC)
    now = database_now(session)
    ahead = (before - now).total_seconds() + (datetime.now(UTC) - before).total_seconds() / 2
    found = clock_finding("this machine's clock", ahead)
    return [found or Finding("clock", "ok", f"this machine's is {abs(ahead):.3f} s from the database's")]


def _is_coordinated(campaign: StoredCampaign, heard: Sequence[StoredWorker]) -> bool:
    """Whether a coordinator was heard, or a process of `start --local` that may be at this campaign."""
    here = (f"{campaign.name}: ", "waiting")
    return any(w.role == "coordinator" or (w.role == "local" and w.doing.startswith(here)) for w in heard)


def _is_served(campaign: StoredCampaign, heard: Sequence[StoredWorker]) -> bool:
    return any(w.role != "coordinator" and w.results_version == campaign.results_version for w in heard)


def _may_be_filled(folder: Path) -> bool:
    """Whether the folder can be written, or made."""
    here = folder.absolute()
    there = next(each for each in (here, *here.parents) if os.path.lexists(each))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _name_another() -> str:
    return f"change its permissions, or name another with --spool or {SPOOL_VARIABLE}"


def _by_role(workers: Sequence[StoredWorker]) -> str:
    roles = sorted({worker.role for worker in workers})
    return ", ".join(f"{sum(worker.role == role for worker in workers)} {role}" for role in roles)


def _names(campaigns: Sequence[StoredCampaign]) -> str:
    return ", ".join(campaign.name for campaign in campaigns)
