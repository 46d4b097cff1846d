"""What a scrape sees is what is stored; without the database it sees that."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from db import campaigns
from db.campaign_queries import ledger
from db.clock import database_now
from db.database import Database, open_database
from db.workers import save_worker
from tests.services.postgres import running_cluster
from tests.services.processes import free_port
from tests.workers.executed import SEEDS, add_campaign, finish_campaign, start_campaign
from workers.identity import this_process
from workers.metrics import serve_metrics

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Scraped:
    """The samples of one scrape."""

    def __init__(self, port: int) -> None:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        self.types = {family.name: family.type for family in text_string_to_metric_families(text)}
        self.samples: Samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """The one sample of this name with exactly these labels."""
        return self.samples[name, tuple(sorted(labels.items()))]

    def names(self) -> set[str]:
        """Which samples there are."""
        return {name for name, _ in self.samples}


def fill(database: Database, place: str) -> str:
    """One campaign that is over, one that runs, one that is paused with all done, and a process; the last one's id."""
    over, running, paused = (add_campaign(database, name) for name in ("over", "running", "paused"))
    for campaign_id in (over, paused):
        start_campaign(database, campaign_id)
        finish_campaign(database, place, campaign_id)
    start_campaign(database, running)
    with database.write() as session:
        statement = f"UPDATE campaign SET state = 'paused', ended = NULL WHERE id = '{paused}'"
        session.connection().exec_driver_sql(statement)
        now = database_now(session)
        campaigns.note_canary(session, paused, now - timedelta(minutes=5), caught=True)
        campaigns.note_canary(session, running, now, caught=False)
        save_worker(session, this_process("celery", {}).record("waiting for work", None, 4), now)
    return paused


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scraped, Database, str]]:
    """A scrape of a filled SQLite file, the file, and the paused campaign's id."""
    file: Path = tmp_path_factory.mktemp("metrics") / "mmfuzz.db"
    with open_database(file) as database:
        paused = fill(database, str(file))
        port = free_port()
        serve_metrics(database, "127.0.0.1", port)
        yield Scraped(port), database, paused


def test_campaigns_are_counted_by_state(scraped: tuple[Scraped, Database, str]) -> None:
    seen, _, _ = scraped
    assert seen.value("mmfuzz_database_up") == 1
    states = {labels: value for (name, labels), value in seen.samples.items() if name == "mmfuzz_campaigns"}
    assert {dict(labels)["state"]: value for labels, value in states.items()} == {
        "new": 0,
        "running": 1,
        "paused": 1,
        "draining": 0,
        "done": 1,
        "stopped": 0,
    }


def test_a_campaign_that_runs_has_its_units(scraped: tuple[Scraped, Database, str]) -> None:
    seen, _, _ = scraped
    assert seen.value("mmfuzz_units", campaign="running", kind="fuzz", state="ready") == SEEDS
    assert seen.value("mmfuzz_units_planned_total", campaign="running") == SEEDS
    assert seen.value("mmfuzz_units_folded_total", campaign="running") == 0
    assert seen.value("mmfuzz_running_seconds_total", campaign="running") >= 0


def test_counters_are_those_of_the_ledger(scraped: tuple[Scraped, Database, str]) -> None:
    seen, database, paused = scraped
    with database.read() as session:
        counted = ledger(session, paused)
    assert seen.value("mmfuzz_ops_total", campaign="paused") == counted.ops > 0
    assert seen.value("mmfuzz_traces_total", campaign="paused") == counted.traces > 0
    assert seen.value("mmfuzz_units_folded_total", campaign="paused") == counted.units_done
    assert seen.value("mmfuzz_failures", campaign="paused") > 0
    assert seen.value("mmfuzz_rows_covered", campaign="paused", cell="0") > 0
    assert seen.value("mmfuzz_rows_covered", campaign="paused", cell="1") > 0


def test_a_campaign_that_is_over_has_no_series(scraped: tuple[Scraped, Database, str]) -> None:
    seen, _, _ = scraped
    assert {dict(labels)["campaign"] for _, labels in seen.samples if "campaign" in dict(labels)} == {
        "running",
        "paused",
    }


def test_canaries_are_told_with_their_age_and_whether_the_last_was_missed(
    scraped: tuple[Scraped, Database, str],
) -> None:
    seen, _, _ = scraped
    assert seen.value("mmfuzz_canary_age_seconds", campaign="paused") == pytest.approx(300, abs=60)
    assert seen.value("mmfuzz_canary_missed", campaign="paused") == 0
    assert seen.value("mmfuzz_canary_missed", campaign="running") == 1
    assert ("mmfuzz_canary_age_seconds", (("campaign", "running"),)) not in seen.samples


def test_a_process_is_told_with_its_silence_clock_and_work(scraped: tuple[Scraped, Database, str]) -> None:
    seen, _, _ = scraped
    (labels,) = [labels for name, labels in seen.samples if name == "mmfuzz_worker_units_total"]
    assert dict(labels)["role"] == "celery"
    assert seen.value("mmfuzz_worker_units_total", **dict(labels)) == 4
    assert seen.value("mmfuzz_worker_silent_seconds", **dict(labels)) < 60
    assert abs(seen.value("mmfuzz_worker_clock_ahead_seconds", **dict(labels))) < 1


def test_all_metrics_have_our_prefix_and_counters_their_type(scraped: tuple[Scraped, Database, str]) -> None:
    seen, _, _ = scraped
    assert all(name.startswith("mmfuzz_") for name in seen.names())
    assert {name.removesuffix("_total") for name in seen.names() if name.endswith("_total")} == {
        name for name, kind in seen.types.items() if kind == "counter"
    }


def test_every_metric_is_in_the_documentation_by_its_name(scraped: tuple[Scraped, Database, str], root: Path) -> None:
    page = (root / "docs" / "deployment.md").read_text("utf-8")
    missing = sorted(name for name in scraped[0].names() if name not in page)
    assert not missing


def test_a_taken_port_is_an_error_of_the_system(scraped: tuple[Scraped, Database, str]) -> None:
    _, database, _ = scraped
    port = free_port()
    serve_metrics(database, "127.0.0.1", port)
    with pytest.raises(OSError, match="in use"):
        serve_metrics(database, "127.0.0.1", port)


@pytest.mark.needs_postgres
def test_a_database_that_goes_away_is_down_and_comes_back_up() -> None:
    with running_cluster() as server, open_database(server.new_database()) as database:
        start_campaign(database, add_campaign(database, "running"))
        port = free_port()
        serve_metrics(database, "127.0.0.1", port)
        up = Scraped(port)
        assert up.value("mmfuzz_database_up") == 1
        assert up.value("mmfuzz_units", campaign="running", kind="fuzz", state="ready") == SEEDS
        server.stop()
        assert Scraped(port).samples == {("mmfuzz_database_up", ()): 0}
        server.start()
        assert Scraped(port).samples.keys() == up.samples.keys()
