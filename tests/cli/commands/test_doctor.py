"""`mmfuzz doctor` where campaigns run: what it says of brokers, processes, clocks, campaigns and spools."""

import socket
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.doctor_broker import CHECKED_RELEASES, check_broker, visibility_finding
from cli.doctor_finding import Finding
from cli.doctor_service import check_service, check_spool, clock_finding
from db.clock import database_now
from db.database import open_database
from db.workers import save_worker
from fuzzer.results_version import RESULTS_VERSION
from tests.cli.commands.conftest import change, make
from tests.cli.conftest import Shell
from tests.services.postgres import Cluster
from tests.services.redis import RedisServer, running_redis
from workers.celery_app import HARD_LIMIT_SECONDS, make_app
from workers.celery_fleet import CeleryFleet
from workers.identity import Identity

Findings = list[dict[str, str]]


def look(shell: Shell, *options: object, code: int = 0) -> Findings:
    """What the doctor finds; it exits with this code."""
    done = shell("doctor", *options, "--json")
    assert done.code == code, done.out + done.err
    assert done.json["ok"] is (code == 0)
    return mendable(done.json["findings"])


def mendable(findings: Findings) -> Findings:
    """The same; nothing that is wrong is without a way to mend it."""
    assert all(finding["mend"] for finding in findings if finding["status"] == "wrong")
    return findings


def told(found: Sequence[Finding]) -> Findings:
    """What one of the checks found, as the command has it."""
    return mendable([asdict(each) for each in found])


def service(shell: Shell) -> Findings:
    """What is found in the default database."""
    return told(check_service(str(shell.database)))


def of(findings: Findings, name: str, status: str | None = None) -> list[str]:
    """What was found under a name."""
    return [each["what"] for each in findings if each["name"] == name and status in (None, each["status"])]


def started(shell: Shell, name: str = "mine") -> None:
    make(shell, name)
    assert shell("campaign", "start", name).code == 0


Sign = Callable[..., None]


@pytest.fixture
def sign_on(mmfuzz: Shell) -> Sign:
    """Put a process into the database that was heard so many seconds ago, its clock so many ahead."""

    def sign(
        role: str,
        *,
        silent: float = 0,
        ahead: float = 0,
        doing: str = "waiting for work",
        results: str = RESULTS_VERSION,
    ) -> None:
        with open_database(mmfuzz.database) as database, database.write() as session:
            heard = database_now(session) - timedelta(seconds=silent)
            identity = Identity(f"far:{role}", role, "far", 7, heard, {}, results)
            record = replace(identity.record(doing, None, 0), clock=heard + timedelta(seconds=ahead))
            save_worker(session, record, heard)

    return sign


@pytest.fixture(scope="module")
def broker() -> Iterator[RedisServer]:
    """A Redis of this module's own, whose settings tests change."""
    with running_redis() as server:
        yield server


def test_without_a_broker_there_is_nothing_to_be_said_of_one(mmfuzz: Shell) -> None:
    findings = look(mmfuzz)
    assert of(findings, "broker") == ["no broker is named"]
    assert {each["status"] for each in findings if each["name"] in ("broker", "spool", "service")} == {"ok"}
    assert of(findings, "workers") == of(findings, "campaigns") == of(findings, "clock") == []
    assert list(mmfuzz.folder.iterdir()) == []


def test_a_campaign_of_one_process_needs_no_service(finished: tuple[Shell, Any]) -> None:
    findings = look(finished[0])
    assert {each["status"] for each in findings} == {"ok"}
    assert of(findings, "campaigns") == ["none is working"]


def test_a_good_broker_is_told_with_what_waits_there(mmfuzz: Shell, broker: RedisServer) -> None:
    broker.empty()
    CeleryFleet(make_app(broker.url())).hint({"fuzz": 2, "minimize": 1})
    assert broker.ask("CONFIG", "SET", "maxmemory", "100mb") == "+OK"
    findings = look(mmfuzz, "--broker", broker.url())
    there, visible = of(findings, "broker", "ok")
    assert broker.url() in there
    assert "messages waiting: units 2, minimize 1, qemu 0" in there
    assert str(HARD_LIMIT_SECONDS) in visible
    assert of(findings, "broker") == [there, visible]


@pytest.mark.parametrize(
    ("setting", "value", "right", "status", "said"),
    [
        ("maxmemory-policy", "allkeys-lru", "noeviction", "wrong", "maxmemory-policy is allkeys-lru"),
        ("appendonly", "no", "yes", "note", "appendonly is off"),
        ("maxmemory", "0", "100mb", "note", "maxmemory is not set"),
    ],
)
def test_a_setting_that_loses_queues_is_told(
    broker: RedisServer, setting: str, value: str, right: str, status: str, said: str
) -> None:
    assert broker.ask("CONFIG", "SET", "maxmemory", "100mb") == "+OK"
    assert broker.ask("CONFIG", "SET", setting, value) == "+OK"
    (what,) = of(told(check_broker(broker.url())), "broker", status)
    assert said in what
    assert broker.ask("CONFIG", "SET", setting, right) == "+OK"
    assert of(told(check_broker(broker.url())), "broker", status) == []


def test_a_broker_that_is_not_there_is_wrong_and_told_without_its_password(mmfuzz: Shell) -> None:
    findings = look(mmfuzz, "--broker", "redis://:hush@127.0.0.1:1/0", code=4)
    (what,) = of(findings, "broker")
    assert "redis://:***@127.0.0.1:1/0" in what
    assert "hush" not in str(findings)


@pytest.mark.parametrize("url", ["amqp://:hush@127.0.0.1/0", "redis://:hush@127.0.0.1:port/0"])
def test_what_is_no_url_of_a_broker_is_told_without_its_password(url: str) -> None:
    (what,) = of(told(check_broker(url)), "broker", "wrong")
    assert url.replace("hush", "***") in what
    assert "hush" not in what


def test_a_wrong_password_of_the_broker_is_told_without_it() -> None:
    with running_redis() as server:
        assert server.ask("CONFIG", "SET", "requirepass", "right") == "+OK"
        place = f"127.0.0.1:{server.port}/0"
        (what,) = of(told(check_broker(f"redis://:wrong-secret@{place}")), "broker", "wrong")
    assert f"redis://:***@{place}" in what
    assert "password" in what


def test_a_silent_broker_costs_five_seconds_at_most() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        findings = told(check_broker(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        assert time.monotonic() - started < 5
    assert "does not answer" in of(findings, "broker", "wrong")[0]


@pytest.mark.parametrize(
    "place", ["broker_transport_options", "result_backend_transport_options", "visibility_timeout"]
)
def test_a_visibility_timeout_below_the_hard_limit_is_wrong_wherever_it_stands(place: str) -> None:
    app = make_app("redis://127.0.0.1:1/0")
    assert visibility_finding(app).status == "ok"
    small = HARD_LIMIT_SECONDS - 1
    app.conf.update({place: small if place == "visibility_timeout" else {"visibility_timeout": small}})
    found = visibility_finding(app)
    assert found.status == "wrong"
    assert f"{place} has {small} s" in found.what
    app.conf.update({place: None if place == "visibility_timeout" else {}})
    assert visibility_finding(app).status == "wrong"


def test_the_checked_releases_are_those_that_are_installed_with_mmfuzz(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    service = project["optional-dependencies"]["service"]
    for name, asked in (("celery", "celery[redis]"), ("prometheus-client", "prometheus-client")):
        least, below = CHECKED_RELEASES[name]
        assert f"{asked}>={least},<{below}" in service


@pytest.mark.parametrize(
    ("ahead", "status"),
    [(0.0, None), (1.0, None), (-1.0, None), (1.5, "note"), (-14.0, "note"), (15.5, "wrong"), (-3600.0, "wrong")],
)
def test_a_clock_is_noted_above_a_second_and_wrong_above_a_quarter_of_a_lease(ahead: float, status: str | None) -> None:
    found = clock_finding("its clock", ahead)
    assert (found and found.status) == status
    assert found is None or f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'}" in found.what


@pytest.mark.parametrize(("ahead", "status"), [(0.5, None), (-2.5, "note"), (20.0, "wrong")])
def test_a_workers_clock_is_judged(mmfuzz: Shell, sign_on: Sign, ahead: float, status: str | None) -> None:
    assert mmfuzz("db", "upgrade").code == 0
    sign_on("celery", ahead=ahead)
    findings = service(mmfuzz)
    assert of(findings, "workers") == ["1 celery heard in the last 60 s"]
    clocks = [each for each in findings if each["name"] == "clock"]
    assert [each["status"] for each in clocks] == ([status] if status else [])
    assert all("far:celery" in each["what"] for each in clocks)


def test_processes_that_fell_silent_are_noted(mmfuzz: Shell, sign_on: Sign) -> None:
    assert mmfuzz("db", "upgrade").code == 0
    sign_on("celery", silent=90, ahead=1000)
    findings = service(mmfuzz)
    (what,) = of(findings, "workers", "note")
    assert "far:celery (celery) for 1 min" in what
    assert of(findings, "clock") == []


def test_workers_of_other_results_are_noted_with_the_campaigns_that_nobody_serves(mmfuzz: Shell, sign_on: Sign) -> None:
    started(mmfuzz)
    sign_on("coordinator")
    sign_on("celery", results="results-0")
    findings = service(mmfuzz)
    assert "far:celery has results-0" in of(findings, "workers", "note")[0]
    assert of(findings, "campaigns", "note") == [f"no worker serves mine (results {RESULTS_VERSION})"]
    change(mmfuzz.database, "UPDATE campaign SET results_version = 'results-0'")
    assert of(service(mmfuzz), "campaigns") == ["1 working, all seen to"]


def test_campaigns_that_nobody_coordinates_are_noted(mmfuzz: Shell, sign_on: Sign) -> None:
    started(mmfuzz)
    findings = service(mmfuzz)
    (finding,) = [each for each in findings if each["name"] == "campaigns"]
    assert (finding["status"], finding["what"]) == ("note", "nobody coordinates mine")
    assert "`mmfuzz coordinator`" in finding["mend"]
    assert "`mmfuzz campaign start mine --local`" in finding["mend"]
    sign_on("celery")
    sign_on("coordinator", silent=90)
    assert of(service(mmfuzz), "campaigns", "note") == ["nobody coordinates mine"]
    sign_on("coordinator")
    assert of(service(mmfuzz), "campaigns") == ["1 working, all seen to"]


def test_a_campaign_that_is_executed_in_one_place_has_its_coordinator_there(mmfuzz: Shell, sign_on: Sign) -> None:
    started(mmfuzz)
    sign_on("local", doing="other: unit 1 of linux-4.5, seeds 0 to 1")
    assert of(service(mmfuzz), "campaigns") == ["nobody coordinates mine"]
    sign_on("local", doing="mine: unit 1 of linux-4.5, seeds 0 to 1")
    assert of(service(mmfuzz), "campaigns") == ["1 working, all seen to"]


def test_a_missed_canary_is_wrong_until_the_next_is_caught(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine", "--canary-minutes", 1)
    assert mmfuzz("campaign", "start", "mine").code == 0
    assert mmfuzz("campaign", "pause", "mine").code == 0
    change(mmfuzz.database, "UPDATE campaign SET canary_missed = '2026-01-01 00:01:00.000000'")
    assert "mine missed its last canary" in of(service(mmfuzz), "campaigns", "wrong")[0]
    change(mmfuzz.database, "UPDATE campaign SET canary_caught = '2026-01-01 00:02:00.000000'")
    assert of(service(mmfuzz), "campaigns") == ["none is working"]


def test_results_that_wait_in_the_spool_are_noted_and_left(tmp_path: Path) -> None:
    for name in ("unit-1-1.json", "unit-2-1.json", "unit-3-1.unreadable", "letter.txt"):
        (tmp_path / name).write_text("not ours to judge")
    findings = told(check_spool(tmp_path, needed=True))
    assert of(findings, "spool", "note") == [f"2 results waiting in {tmp_path}", f"1 result unreadable in {tmp_path}"]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("place", ["file", "file/spool", "gone", "gone/spool"])
def test_a_spool_that_cannot_be_written_is_wrong_where_it_is_needed(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "gone").symlink_to("nowhere")
    for needed, status in ((False, "note"), (True, "wrong")):
        (finding,) = told(check_spool(tmp_path / place, needed=needed))
        assert (finding["name"], finding["status"]) == ("spool", status)
        assert str(tmp_path / place) in finding["what"]
        assert "MMFUZZ_SPOOL" in finding["mend"]


def test_spool_and_broker_of_the_environment_are_looked_at(mmfuzz: Shell, broker: RedisServer) -> None:
    (mmfuzz.folder / "file").write_text("in the way")
    done = mmfuzz("doctor", "--json", MMFUZZ_SPOOL="file/spool", MMFUZZ_BROKER_URL=broker.url())
    assert done.code == 4
    assert "file/spool cannot be written" in of(done.json["findings"], "spool", "wrong")[0]
    assert broker.url() in of(done.json["findings"], "broker", "ok")[0]


def test_the_spools_disk_is_told_where_it_is_needed(tmp_path: Path) -> None:
    (finding,) = told(check_spool(tmp_path / "not" / "there", needed=True))
    assert (finding["status"], f"MB free in {tmp_path}" in finding["what"]) == ("ok", True)


def test_looking_changes_neither_database_nor_folders(mmfuzz: Shell, sign_on: Sign, broker: RedisServer) -> None:
    started(mmfuzz)
    sign_on("celery", silent=90)
    before = {path: path.read_bytes() for path in mmfuzz.folder.rglob("*") if path.is_file()}
    look(mmfuzz, "--broker", broker.url())
    assert {path: path.read_bytes() for path in mmfuzz.folder.rglob("*") if path.is_file()} == before


@pytest.mark.needs_postgres
def test_the_clock_of_this_machine_is_held_against_the_servers(mmfuzz: Shell, cluster: Cluster) -> None:
    place = cluster.new_database()
    make(mmfuzz, "mine", "--database", place)
    assert mmfuzz("campaign", "start", "mine", "--database", place).code == 0
    findings = look(mmfuzz, "--database", place)
    (what,) = of(findings, "clock", "ok")
    assert what.startswith("this machine's is 0.")
    assert of(findings, "campaigns", "note") == ["nobody coordinates mine"]


@pytest.mark.needs_postgres
def test_of_a_database_without_a_schema_nothing_is_asked(cluster: Cluster) -> None:
    assert check_service(cluster.new_database()) == []
