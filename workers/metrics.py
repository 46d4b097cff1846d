"""Metrics for Prometheus, computed from the database at every scrape: no process keeps counters that it could lose."""

from collections.abc import Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db.database import Database
from db.errors import DatabaseError
from db.figures import ServiceFigures, canary_is_missed, service_figures

log = structlog.get_logger()

CAMPAIGN = ("campaign",)


class ServiceCollector(Collector):
    """Gives the figures of a database as metrics; docs/deployment.md lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterable[Metric]:
        """All metrics; of a database that does not answer only that it does not."""
        up = GaugeMetricFamily("mmfuzz_database_up", "Whether the database answers.")
        try:
            with self._database.read() as session:
                figures = service_figures(session)
        except DatabaseError as error:
            log.warning("no metrics without the database", error=str(error))
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        return [up, *_service(figures), *_progress(figures), *_canaries(figures), *_workers(figures)]

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the database, which is not asked for it at the start."""
        return []


def serve_metrics(database: Database, address: str, port: int) -> None:
    """Serve the metrics of a database over HTTP from a thread of this process. OSError where the port is taken."""
    registry = CollectorRegistry()
    registry.register(ServiceCollector(database))
    start_http_server(port, addr=address, registry=registry)


def _service(figures: ServiceFigures) -> Iterator[Metric]:
    states = GaugeMetricFamily("mmfuzz_campaigns", "Campaigns by state.", labels=["state"])
    for state, number in figures.states.items():
        states.add_metric([state], number)
    yield states
    yield GaugeMetricFamily("mmfuzz_database_bytes", "Size of the database.", value=figures.size)
    yield GaugeMetricFamily(
        "mmfuzz_leases_over", "Units whose workers are silent and that no coordinator has seen to.", figures.leases_over
    )


def _progress(figures: ServiceFigures) -> Iterator[Metric]:
    units = GaugeMetricFamily("mmfuzz_units", "Outstanding units.", labels=[*CAMPAIGN, "kind", "state"])
    planned = CounterMetricFamily("mmfuzz_units_planned", "Units of random sequences planned.", labels=CAMPAIGN)
    folded = CounterMetricFamily("mmfuzz_units_folded", "Units folded in.", labels=CAMPAIGN)
    ops = CounterMetricFamily("mmfuzz_ops", "Ops executed and folded in.", labels=CAMPAIGN)
    traces = CounterMetricFamily("mmfuzz_traces", "Traces executed and folded in.", labels=CAMPAIGN)
    rows = GaugeMetricFamily("mmfuzz_rows_covered", "Rows of rules that decided something.", labels=[*CAMPAIGN, "cell"])
    failures = GaugeMetricFamily("mmfuzz_failures", "Different failures.", labels=CAMPAIGN)
    seconds = CounterMetricFamily("mmfuzz_running_seconds", "Time the campaign was running.", labels=CAMPAIGN)
    for each in figures.campaigns:
        name = [each.campaign.name]
        for (kind, state), number in sorted(each.units.items()):
            units.add_metric([*name, kind, state], number)
        planned.add_metric(name, each.campaign.next_number)
        folded.add_metric(name, each.campaign.folded_number)
        ops.add_metric(name, each.ops)
        traces.add_metric(name, each.traces)
        for cell, covered in sorted(each.rows_covered.items()):
            rows.add_metric([*name, str(cell)], covered)
        failures.add_metric(name, each.failures)
        seconds.add_metric(name, each.campaign.seconds)
    yield from (units, planned, folded, ops, traces, rows, failures, seconds)


def _canaries(figures: ServiceFigures) -> Iterator[Metric]:
    age = GaugeMetricFamily("mmfuzz_canary_age_seconds", "Since a failure that must show last showed.", labels=CAMPAIGN)
    missed = GaugeMetricFamily("mmfuzz_canary_missed", "Whether the last canary went unseen.", labels=CAMPAIGN)
    for each in figures.campaigns:
        name, caught = each.campaign.name, each.campaign.canary_caught
        if caught is not None:
            age.add_metric([name], (figures.now - caught).total_seconds())
        missed.add_metric([name], canary_is_missed(each.campaign))
    yield from (age, missed)


def _workers(figures: ServiceFigures) -> Iterator[Metric]:
    labels = ["worker", "role", "host"]
    silent = GaugeMetricFamily("mmfuzz_worker_silent_seconds", "Since a process was last heard.", labels=labels)
    ahead = GaugeMetricFamily(
        "mmfuzz_worker_clock_ahead_seconds", "A process's clock against the database's.", labels=labels
    )
    done = CounterMetricFamily("mmfuzz_worker_units", "Units a process has settled.", labels=labels)
    for worker in figures.workers:
        values = [worker.id, worker.role, worker.host]
        silent.add_metric(values, worker.silent)
        ahead.add_metric(values, worker.clock_ahead)
        done.add_metric(values, worker.units_done)
    yield from (silent, ahead, done)
