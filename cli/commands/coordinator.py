"""`mmfuzz coordinator`: the loop that plans units, folds results and tells the workers."""

import time

import click
import structlog

from cli.broker import require_broker
from cli.core_state import require_current_core
from cli.database import open_to_write
from cli.errors import InfrastructureTrouble
from cli.exit_codes import ExitCode
from cli.options import broker_option, database_option
from cli.stopping import StopRequest
from cli.versions import find_versions
from db.database import Database
from db.errors import BusyDatabaseError, FullDatabaseError, UnreachableDatabaseError
from fuzzer.campaign.coordinator import Coordinator
from fuzzer.campaign.protocols import Fleet
from workers.clock import DatabaseClock
from workers.heart import Heart
from workers.identity import this_process
from workers.logs import LEVELS, start_logging
from workers.store import DatabaseStore
from workers.unit_worker import LEASE

PASSING_TROUBLE = (UnreachableDatabaseError, BusyDatabaseError, FullDatabaseError)
LONGEST_PAUSE_SECONDS = 30.0
# After a tick that changed something the next one comes after so many times the time that it took.
PAUSE_PER_WORK = 60


@click.command(name="coordinator", short_help="Plan and fold for all campaigns; tell the workers.")
@broker_option
@click.option(
    "--every",
    type=click.FloatRange(0.05),
    default=2.0,
    show_default=True,
    metavar="S",
    help="Tick every S seconds, and sooner after a tick with something to do.",
)
@click.option("--metrics", type=click.IntRange(1, 65535), metavar="PORT", help="Serve Prometheus metrics on this port.")
@click.option(
    "--metrics-address", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Serve them on this address."
)
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="Log this and worse.")
@database_option
def command(
    broker: str | None,
    every: float,
    metrics: int | None,
    metrics_address: str,
    log_level: str,
    database: str,
) -> ExitCode:
    """Plan units of all started campaigns, fold in their results, and tell the workers, until it is asked to stop.

    It keeps nothing of its own: it can be killed and started again at any moment, and two at once do no harm.
    """
    start_logging(log_level)
    require_current_core()
    fleet = _make_fleet(broker)
    with open_to_write(database) as opened, StopRequest() as stopping:
        identity = this_process("coordinator", find_versions())
        heart = Heart(opened, identity, LEASE)
        heart.say("coordinating")
        if metrics is not None:
            _serve_metrics(opened, metrics_address, metrics)
        heart.start()
        clock = DatabaseClock(opened)
        coordinator = Coordinator(DatabaseStore(opened, clock), fleet, clock)
        try:
            _coordinate(coordinator, every, stopping)
        finally:
            heart.stop()
    return ExitCode.PASS


def _coordinate(coordinator: Coordinator, every: float, stopping: StopRequest) -> None:
    log = structlog.get_logger()
    log.info("coordinator started", every=every)
    trouble_pause = every
    while not stopping.made:
        started = time.monotonic()
        pause = every
        try:
            tick = coordinator.tick()
            if not tick.idle:
                # There may be more to do at once; but never so often that it takes a processor for itself.
                pause = min(every, PAUSE_PER_WORK * (time.monotonic() - started))
                log.debug("tick", lost=tick.lost, folded=tick.folded, planned=tick.planned, hinted=tick.hinted)
            if tick.draining:
                # Somebody may be waiting for the end, and it is near.
                pause = min(pause, every / 4)
            trouble_pause = every
        except PASSING_TROUBLE as error:
            log.warning("no database; trying again", error=str(error), seconds=trouble_pause)
            pause = trouble_pause
            trouble_pause = min(2 * trouble_pause, LONGEST_PAUSE_SECONDS)
        _sleep(started + pause, stopping)
    log.info("coordinator stopped")


def _sleep(until: float, stopping: StopRequest) -> None:
    while (left := until - time.monotonic()) > 0 and not stopping.made:
        time.sleep(min(left, 0.2))


def _make_fleet(broker: str | None) -> Fleet:
    url = require_broker(broker)
    from workers.celery_app import make_app
    from workers.celery_fleet import CeleryFleet

    return CeleryFleet(make_app(url))


def _serve_metrics(database: Database, address: str, port: int) -> None:
    from workers.metrics import serve_metrics

    try:
        serve_metrics(database, address, port)
    except OSError as error:
        raise InfrastructureTrouble(
            f"metrics cannot be served on {address}:{port} ({error.strerror}); choose another --metrics port"
        ) from error
