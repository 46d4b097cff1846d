"""`mmfuzz campaign`: days of fuzzing, made, started, watched and stopped by name."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy.orm import Session

from cli.campaign_options import choose_settings, make_spec, read_settings, settings_options
from cli.campaign_progress import follow_campaign
from cli.campaign_text import (
    campaign_document,
    ledger_document,
    print_events,
    print_ledger,
    print_report,
    report_campaign,
    report_document,
)
from cli.core_state import require_current_core
from cli.database import open_to_read, open_to_write
from cli.errors import UsageMistake
from cli.exit_codes import ExitCode
from cli.failure_text import print_failures
from cli.options import database_option, screen_option
from cli.output import Screen, plural
from cli.progress import format_seconds, short_number
from cli.settings import choose_spool
from cli.stopping import StopRequest
from cli.versions import find_versions
from db import campaign_queries, campaigns
from db.clock import database_now
from db.database import Database
from db.queries import get_kernel
from fuzzer.campaign.file import CampaignFile
from fuzzer.campaign.spec import CampaignSpec, differences
from fuzzer.results_version import RESULTS_VERSION
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from workers.campaigns import campaign_record
from workers.local_session import LocalSession
from workers.logs import start_logging
from workers.store import drain_campaign

MAX_JOBS = 1024
LOG_LEVEL = "warning"


@click.group(name="campaign", short_help="Fuzz for days: make, start, watch, stop campaigns.")
def command() -> None:
    """Make campaigns and follow them.

    A campaign is executed by `campaign start --local` here, or by a coordinator and workers anywhere that share its
    database (`mmfuzz coordinator`, `mmfuzz worker`).
    """


@command.command(name="new")
@click.argument("name")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.toml",
    help="Take settings from this file; options go before what it says.",
)
@settings_options
@database_option
@screen_option
def new(name: str, source: Path | None, database: str, screen: Screen, **given: Any) -> None:
    """Make the campaign NAME, not started. docs/campaigns.md has the settings."""
    _check_name(name)
    spec = make_spec(choose_settings(None if source is None else read_settings(source), given))
    with open_to_write(database) as opened:
        _add(screen, opened, name, spec, None)


@command.command(name="clone")
@click.argument("old")
@click.argument("name")
@settings_options
@database_option
@screen_option
def clone(old: str, name: str, database: str, screen: Screen, **given: Any) -> None:
    """Make the campaign NAME with the settings of OLD but for those given, and show in what they differ.

    Without --seed it has OLD's seed, so it does the same again.
    """
    _check_name(name)
    with open_to_write(database) as opened:
        with opened.read() as session:
            stored = campaign_queries.get_campaign(session, old, database_now(session))
            settings = _file_of(stored.spec | {"priority": stored.weight})
            if given["kernels"]:
                settings.reference = None
            spec = make_spec(choose_settings(settings, given), _finder(session, stored.spec))
        _add(screen, opened, name, spec, stored.id, stored.spec)


@command.command(name="start")
@click.argument("name")
@click.option("--local", is_flag=True, help="Execute it here, without a server, until it is over or Ctrl-C pauses it.")
@click.option("--jobs", type=click.IntRange(1, MAX_JOBS), metavar="N", help="With --local, in N processes. Default: 1.")
@database_option
@screen_option
def start(name: str, local: bool, jobs: int | None, database: str, screen: Screen) -> ExitCode:
    """Start or resume the campaign NAME."""
    return _start(screen, database, name, local, jobs)


@command.command(name="resume")
@click.argument("name")
@click.option("--local", is_flag=True, help="Execute it here, as `start --local` does.")
@click.option("--jobs", type=click.IntRange(1, MAX_JOBS), metavar="N", help="With --local, in N processes. Default: 1.")
@database_option
@screen_option
def resume(name: str, local: bool, jobs: int | None, database: str, screen: Screen) -> ExitCode:
    """Let the campaign NAME go on where it was paused."""
    return _start(screen, database, name, local, jobs)


@command.command(name="pause")
@click.argument("name")
@database_option
@screen_option
def pause(name: str, database: str, screen: Screen) -> None:
    """Hand out no more of the campaign NAME; what is in hand is finished."""
    with open_to_read(database) as opened:
        _change(
            opened, name, lambda session, each: campaigns.change_state(session, each, "paused", database_now(session))
        )
        _tell_state(screen, opened, name)


@command.command(name="stop")
@click.argument("name")
@database_option
@screen_option
def stop(name: str, database: str, screen: Screen) -> None:
    """End the campaign NAME for good, after what workers have in hand.

    A coordinator, or `campaign start --local`, sees to the end; one that nobody executes waits for it.
    """
    with open_to_read(database) as opened:
        _change(opened, name, lambda session, each: drain_campaign(session, each, "user", database_now(session)))
        _tell_state(screen, opened, name)


@command.command(name="list")
@click.option("--runs", is_flag=True, help="Also those that `mmfuzz run` made for itself.")
@database_option
@screen_option
def list_command(runs: bool, database: str, screen: Screen) -> None:
    """List all campaigns, the last made first."""
    with open_to_read(database) as opened, opened.read() as session:
        found = campaign_queries.list_campaigns(session, database_now(session), runs=runs)
        ops = {each.id: campaign_queries.folded_ops(session, each.id) for each in found}
        failures = {each.id: campaign_queries.count_failures(session, each.id) for each in found}
    screen.document(
        {
            "campaigns": [
                campaign_document(each) | {"ops": ops[each.id], "failures": failures[each.id]} for each in found
            ]
        }
    )
    screen.table(
        ("name", "id", "state", "priority", "running", "ops", "failures"),
        [
            (
                each.name,
                each.id,
                each.state,
                each.weight,
                format_seconds(each.seconds),
                short_number(ops[each.id]),
                failures[each.id],
            )
            for each in found
        ],
        right=("priority", "ops", "failures"),
    )
    if not found:
        screen.say("there are no campaigns; `mmfuzz campaign new` makes one")


@command.command(name="show")
@click.argument("name")
@click.option("--events", is_flag=True, help="Also what happened to it: states, lost leases, splits.")
@database_option
@screen_option
def show(name: str, events: bool, database: str, screen: Screen) -> None:
    """Show the campaign NAME: how far it is, coverage, failures, the age of its last canary."""
    with open_to_read(database) as opened, opened.read() as session:
        report = report_campaign(session, name)
        happened = campaign_queries.list_events(session, report.campaign.id)
    document = report_document(report)
    if events:
        document["events"] = [{"at": e.at.isoformat(), "what": e.what, "detail": e.detail} for e in happened]
    screen.document(document)
    print_report(screen, report)
    if report.failures:
        screen.say()
        print_failures(screen, report.failures.values())
    if events:
        screen.say()
        print_events(screen, happened)


@command.command(name="watch")
@click.argument("name")
@click.option(
    "--every", type=click.FloatRange(0.1), default=2.0, show_default=True, metavar="S", help="Look every S seconds."
)
@database_option
@screen_option
def watch(name: str, every: float, database: str, screen: Screen) -> ExitCode:
    """Follow the campaign NAME until it is over; Ctrl-C stops watching, not the campaign."""
    with open_to_read(database) as opened, StopRequest() as stopping, follow_campaign(screen) as progress:
        while True:
            with opened.read() as session:
                report = report_campaign(session, name)
            progress(report)
            if report.campaign.state in ("done", "stopped"):
                break
            end = time.monotonic() + every
            while time.monotonic() < end and not stopping.made:
                time.sleep(0.05)
            if stopping.made:
                break
    screen.document(report_document(report))
    print_report(screen, report)
    return ExitCode.FAILURE_FOUND if report.failures else ExitCode.PASS


@command.command(name="ledger")
@click.argument("name")
@database_option
@screen_option
def ledger(name: str, database: str, screen: Screen) -> ExitCode:
    """Count anew what became of everything planned for NAME; exits with 4 when it does not balance."""
    with open_to_read(database) as opened, opened.read() as session:
        campaign = campaign_queries.get_campaign(session, name, database_now(session))
        found = campaign_queries.ledger(session, campaign.id)
    screen.document({"campaign": campaign.name, "state": campaign.state} | ledger_document(found))
    print_ledger(screen, found)
    return ExitCode.PASS if found.balanced else ExitCode.INFRASTRUCTURE


@command.command(name="priority")
@click.argument("name")
@click.argument("priority", type=click.IntRange(1, 100))
@database_option
@screen_option
def priority_command(name: str, priority: int, database: str, screen: Screen) -> None:
    """Change the share of the workers that NAME gets, against the priorities of the other campaigns."""
    with open_to_read(database) as opened:
        _change(
            opened, name, lambda session, each: campaigns.set_weight(session, each, priority, database_now(session))
        )
        _tell_state(screen, opened, name)


def _check_name(name: str) -> None:
    if name.startswith("cmp-") or not name.strip():
        raise UsageMistake(f"{name!r} cannot be a campaign's name: it must not be empty or begin with cmp-")


def _add(
    screen: Screen,
    opened: Database,
    name: str,
    spec: CampaignSpec,
    cloned_from: str | None,
    old_settings: dict[str, Any] | None = None,
) -> None:
    with opened.write() as session:
        record = campaign_record(name, spec, find_versions(), database_now(session), cloned_from=cloned_from)
        campaign_id = campaigns.add_campaign(session, record)
    changed = [] if old_settings is None else differences(old_settings, dict(record.spec))
    screen.document(
        {
            "id": campaign_id,
            "name": name,
            "settings": dict(record.spec),
            "cells": len(spec.cells),
            "changed": [{"setting": setting, "before": before, "after": after} for setting, before, after in changed],
        }
    )
    screen.say(f"{name}  {campaign_id}: {plural(len(spec.cells), 'cell')}, seed {spec.seed}, not started")
    for setting, before, after in changed:
        screen.say(f"  {setting}: {before} -> {after}")
    if old_settings is not None and not changed:
        screen.say("  all settings are the same")


def _start(screen: Screen, database: str, name: str, local: bool, jobs: int | None) -> ExitCode:
    if jobs is not None and not local:
        raise UsageMistake("--jobs goes with --local; other workers are started by `mmfuzz worker --concurrency`")
    require_current_core()
    with open_to_read(database) as opened:
        with opened.read() as session:
            campaign = campaign_queries.get_campaign(session, name, database_now(session))
        if campaign.state in ("done", "stopped"):
            raise UsageMistake(f"{name} is {campaign.state}, for good; `campaign clone {name} NAME` does it once more")
        if local and campaign.results_version != RESULTS_VERSION:
            raise UsageMistake(
                f"{name} was made by a release with other results ({campaign.results_version}, here {RESULTS_VERSION});"
                " clone it to do it with this one"
            )
        if campaign.state not in ("running", "draining"):
            _change(
                opened,
                name,
                lambda session, each: campaigns.change_state(session, each, "running", database_now(session)),
            )
        if not local:
            _tell_state(screen, opened, name)
            if campaign.results_version != RESULTS_VERSION:
                screen.note(f"only workers with {campaign.results_version} can serve it; here it is {RESULTS_VERSION}")
            return ExitCode.PASS
        return _run_here(screen, opened, database, campaign.id, jobs or 1)


def _run_here(screen: Screen, opened: Database, database: str, campaign_id: str, jobs: int) -> ExitCode:
    start_logging(LOG_LEVEL)
    with ExitStack() as open_things:
        stopping = open_things.enter_context(StopRequest())
        progress = open_things.enter_context(follow_campaign(screen))
        looked = 0.0

        def look() -> None:
            nonlocal looked
            if time.monotonic() - looked >= 1.0:
                with opened.read() as session:
                    progress(report_campaign(session, campaign_id))
                looked = time.monotonic()

        state = LocalSession(
            opened,
            database,
            campaign_id,
            jobs=jobs,
            versions=find_versions(),
            stopping=lambda: stopping.made,
            on_stop="pause",
            each_step=look,
            spool=choose_spool(None),
            log_level=LOG_LEVEL,
        ).run()
    with opened.read() as session:
        report = report_campaign(session, campaign_id)
    screen.document(report_document(report))
    print_report(screen, report)
    if report.failures:
        screen.say()
        print_failures(screen, report.failures.values())
    if state == "paused":
        screen.note(f"paused; `mmfuzz campaign resume {report.campaign.name} --local` goes on")
    if report.failures:
        return ExitCode.FAILURE_FOUND
    return ExitCode.INCONCLUSIVE if state == "paused" or report.ledger.ops == 0 else ExitCode.PASS


def _change(opened: Database, name: str, change: Callable[[Session, str], object]) -> None:
    with opened.write() as session:
        change(session, campaign_queries.get_campaign(session, name, database_now(session)).id)


def _tell_state(screen: Screen, opened: Database, name: str) -> None:
    with opened.read() as session:
        campaign = campaign_queries.get_campaign(session, name, database_now(session))
    screen.document(campaign_document(campaign))
    screen.say(f"{campaign.name}  {campaign.state}, priority {campaign.weight}")


def _file_of(settings: dict[str, Any]) -> CampaignFile:
    """The stored settings of a campaign in the form of a file's."""
    kernels = [pair["name"] for pair in settings["kernels"]]
    references = {pair["reference"] for pair in settings["kernels"]}
    # Where kernels differ in it, each has its own default one.
    reference = references.pop() if len(references) == 1 else None
    given = {"kernels": kernels, "reference": reference, "engines": dict(settings["engines"])}
    return msgspec.convert(settings | given, CampaignFile)


def _finder(session: Session, settings: dict[str, Any]) -> Callable[[str], Kernel]:
    """The kernels of stored settings by their names, and any other as the command line finds it."""
    stored = {pair["reference"]: pair["reference_digest"] for pair in settings["kernels"]}
    stored |= {pair["name"]: pair["digest"] for pair in settings["kernels"]}

    def find(name: str) -> Kernel:
        return replace(get_kernel(session, stored[name]), name=name) if name in stored else find_kernel(name)

    return find
