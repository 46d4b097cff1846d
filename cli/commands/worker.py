"""`mmfuzz worker`: a Celery worker that executes units."""

from datetime import timedelta
from pathlib import Path

import click

from cli.broker import require_answering_broker, require_broker
from cli.core_state import require_current_core
from cli.database import open_to_read
from cli.errors import UsageMistake
from cli.exit_codes import ExitCode
from cli.options import NAMES, broker_option, database_option, spool_option
from cli.settings import choose_spool
from cli.versions import find_versions
from workers.logs import LEVELS, start_logging

QUEUES = ("units", "minimize", "qemu")
DEFAULT_QUEUES = ("units", "minimize")


@click.command(name="worker", short_help="Execute units that a coordinator plans, as a Celery worker.")
@broker_option
@click.option(
    "--queues",
    type=NAMES,
    default=",".join(DEFAULT_QUEUES),
    show_default=True,
    metavar="A,B",
    help=f"Serve these queues, of {', '.join(QUEUES)}.",
)
@click.option(
    "--concurrency", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N", help="Use N processes."
)
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Count as gone after S silent seconds.",
)
@click.option(
    "--time-limit",
    type=click.IntRange(1),
    default=660,
    show_default=True,
    metavar="S",
    help="Kill a process after S seconds on a unit.",
)
@click.option(
    "--memory-limit",
    type=click.IntRange(50),
    default=400,
    show_default=True,
    metavar="MB",
    help="Replace a process above this.",
)
@spool_option
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="Log this and worse.")
@database_option
def command(
    broker: str | None,
    queues: tuple[str, ...],
    concurrency: int,
    lease: float,
    time_limit: int,
    memory_limit: int,
    spool: Path | None,
    log_level: str,
    database: str,
) -> ExitCode:
    """Execute units until it is asked to stop: SIGTERM finishes what is in hand.

    The database must be there when it starts, with this release's schema; later it may go away for a while.
    """
    start_logging(log_level)
    require_current_core()
    require_broker(broker)
    if not queues:
        raise UsageMistake(f"--queues names none: there are {', '.join(QUEUES)}")
    for name in queues:
        if name not in QUEUES:
            raise UsageMistake(f"--queues {name}: there are {', '.join(QUEUES)}")
    with open_to_read(database):
        pass
    url = require_answering_broker(broker)
    from workers.celery_app import Limits
    from workers.celery_worker import WorkerSettings, run_worker

    settings = WorkerSettings(
        url,
        database,
        queues,
        concurrency,
        choose_spool(spool),
        find_versions(),
        timedelta(seconds=lease),
        Limits(hard_seconds=time_limit, memory_kb=memory_limit * 1000),
    )
    return ExitCode.PASS if run_worker(settings) == 0 else ExitCode.INFRASTRUCTURE
