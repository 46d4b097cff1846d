"""`mmfuzz conform`, with readings that the simulator made itself and that a test then changed."""

import gzip
import json
from copy import deepcopy
from pathlib import Path

import pytest

from simcore.kernel_files import find_kernel
from tests.cli.conftest import Done, Shell
from tests.fuzzer.conform.conftest import Record, make_record

LINES = ("write 0 1 9", "write 0 0 1", "drain 0", "reclaim", "read 0 0", "migrate 0 0", "madv_free 0 0", "drain 0")
DIRTY, SOFT_DIRTY = 1 << 3, 1 << 22
NAME = "main-6.1-zram.jsonl.gz"
KNOWN = """
[[difference]]
kernels = ["6.1"]
observables = ["dirty"]
ops = ["migrate"]
fault = "simulator"
reason = "Made up for this test."
"""


@pytest.fixture(scope="module")
def good() -> Record:
    """A reading that agrees."""
    return make_record(find_kernel("linux-6.1"), LINES, number=12)


@pytest.fixture
def bad(good: Record) -> Record:
    """A reading in which the real kernel showed another dirty bit after the migrate."""
    record = deepcopy(good) | {"id": 14}
    record["st"][5][0][0] ^= DIRTY
    return record


def write(folder: Path, *records: Record, name: str = NAME) -> Path:
    """A file of readings."""
    path = folder / name
    path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in records).encode()))
    return path


def run(mmfuzz: Shell, *arguments: object) -> Done:
    """`mmfuzz conform` that stores nothing."""
    return mmfuzz("conform", *arguments, "--no-store")


def test_conform_exits_with_0_where_all_agrees(mmfuzz: Shell, good: Record) -> None:
    done = run(mmfuzz, write(mmfuzz.folder, good))
    assert (done.code, done.err) == (0, "")
    assert "PASS: 1 of 1 trace agree in all that is trusted, from first op to last (100.00 %)" in done.out
    assert "Linux 6.1, swap on zram, batches of 15" in done.out
    assert "no disagreement in anything that is trusted" in done.out
    assert "not stored" in done.out
    assert not mmfuzz.database.exists()


def test_conform_exits_with_1_and_tells_the_class(mmfuzz: Shell, good: Record, bad: Record) -> None:
    done = run(mmfuzz, write(mmfuzz.folder, good, bad))
    assert done.code == 1
    assert "FAIL: 1 of 2 traces agree in all that is trusted, from first op to last (50.00 %)" in done.out
    assert "dirty after migrate: " in done.out
    assert "trace 14 of main-6.1-zram.jsonl.gz, op 6 of 8, P0 page 0" in done.out
    (line,) = [line.strip() for line in done.out.splitlines() if "--show" in line]
    shown = mmfuzz(*line.split()[1:])
    assert shown.code == 1
    assert "5 ops of 8 show the simulator's side" in shown.out
    assert "the real kernel was NOT run on this shortened trace" in shown.out
    assert "<- dirty" in shown.out


def test_conform_exits_with_0_where_what_disagrees_is_known(mmfuzz: Shell, good: Record, bad: Record) -> None:
    known = mmfuzz.folder / "known.toml"
    known.write_text(KNOWN)
    path = write(mmfuzz.folder, good, bad)
    done = run(mmfuzz, path, "--known", known)
    assert done.code == 0
    assert "known, simulator: Made up for this test." in done.out
    assert "1 differ in a known way" in done.out
    document = run(mmfuzz, path, "--known", known, "--json").json
    assert (document["agreed"], document["explained"], document["unexplained"]) == (1, 1, 0)
    assert document["classes"][0]["known"]["fault"] == "simulator"
    good_alone = run(mmfuzz, write(mmfuzz.folder, good), "--known", known)
    assert "known differences that were not seen: dirty after migrate" in good_alone.out


def test_conform_exits_with_2_where_nothing_was_compared(mmfuzz: Shell, good: Record) -> None:
    done = run(mmfuzz, write(mmfuzz.folder, good | {"det": 0}))
    assert done.code == 2
    assert "UNKNOWN: 0 of 0 traces" in done.out
    assert "left out: 1 reading whose two runs differ; --all takes them" in done.out


def test_conform_takes_readings_whose_runs_differ_when_asked(mmfuzz: Shell, good: Record, bad: Record) -> None:
    again = {"res": good["res"][5], "st": good["st"][5], "vm": good["vm"][5]}
    path = write(mmfuzz.folder, good, bad | {"det": 0, "alt": {"5": again}}, bad | {"id": 16, "det": 0})
    done = run(mmfuzz, path, "--all")
    assert done.code == 0
    assert "either run counts: whole traces: 1 of 2 agree (50.00 %)" in done.out
    document = run(mmfuzz, path, "--all", "--json").json
    assert document["files"][0]["unsettled"]["agreed"] == 1
    (each,) = document["unsettled_classes"]
    assert each["show"].endswith(f"--all --show {each['id']}")
    assert mmfuzz(*each["show"].split()[1:]).code == 0


USAGE = (
    (("{file}", "--kernel", "linux-9.9"), "linux-9.9"),
    (("{file}", "--swap", "floppy"), "'floppy' is not one of"),
    (("{file}", "--show", "dis-zz"), "no class of disagreements here with an id that begins with 'dis-zz'"),
    (("{file}", "--known", "gone.toml"), "gone.toml: cannot be read: No such file"),
    (("gone-6.1-zram.jsonl.gz",), "cannot be read: No such file"),
    (("mine.jsonl",), "say with --kernel what to compare"),
    (("mine.jsonl", "--kernel", "linux-6.1"), "say --swap zram or virtio"),
    ((), "Missing argument 'FILE...'"),
)


@pytest.mark.parametrize(("arguments", "message"), USAGE)
def test_conform_exits_with_3_for_what_cannot_be(
    mmfuzz: Shell, good: Record, arguments: tuple[str, ...], message: str
) -> None:
    path = write(mmfuzz.folder, good)
    done = mmfuzz("conform", *(each.format(file=path) for each in arguments))
    assert (done.code, done.out.count("FAIL")) == (3, 0)
    assert message in done.err


def test_conform_exits_with_3_and_names_line_and_field(mmfuzz: Shell, good: Record) -> None:
    path = write(mmfuzz.folder, good, good | {"st": good["st"][1:]})
    done = run(mmfuzz, path, "--json")
    assert done.code == 3
    assert done.json["error"]["kind"] == "ReadingError"
    assert done.json["error"]["message"] == f"{path}:2: trace 12, field st: 7 entries for 8 ops; there is one for each"


def test_conform_json_has_the_figures(mmfuzz: Shell, good: Record, bad: Record) -> None:
    path = write(mmfuzz.folder, good, bad)
    done = run(mmfuzz, path, "--json")
    assert done.code == done.json["exit_code"] == 1
    (file,) = done.json["files"]
    assert (file["set"], file["version"], file["swap"], file["batch"]) == ("main", "6.1", "zram", 15)
    assert (file["traces"], file["ops"], file["agreed"], file["unexplained"], file["agree_share"]) == (2, 16, 1, 1, 0.5)
    dirty = next(each for each in file["observables"] if each["observable"] == "dirty")
    assert dirty["compared"] - dirty["agreed"] == 1
    migrate = next(op for op in file["by_op"] if op["op"] == "migrate")
    assert (migrate["runs"], migrate["pages"], migrate["agreeing_pages"]) == (2, 24, 23)
    (each,) = done.json["classes"]
    assert (each["observable"], each["op"], each["first"]) == ("dirty", "migrate", 1)
    assert each["example"]["file"] == str(path)
    assert (each["example"]["line"], each["example"]["reading"], each["example"]["at"]) == (2, 14, 5)
    assert each["failure"] is None
    shown = run(mmfuzz, path, "--show", each["id"], "--json").json
    assert shown["trace"]["ops"] == 5
    assert len(shown["steps"]) == 6
    assert shown["steps"][5]["simulated"] ^ shown["steps"][5]["real"] == DIRTY


def test_conform_limits_the_traces_of_each_file(mmfuzz: Shell, good: Record, bad: Record) -> None:
    assert run(mmfuzz, write(mmfuzz.folder, good, bad), "--limit", 1).code == 0


def test_conform_by_several_processes_says_the_same(mmfuzz: Shell, good: Record, bad: Record) -> None:
    files = [write(mmfuzz.folder, bad), write(mmfuzz.folder, good, name="smaps-6.1-zram.jsonl.gz")]
    one = run(mmfuzz, *files, "--json")
    two = mmfuzz.run_afresh("conform", *files, "--no-store", "--json", "--jobs", 2)
    assert one.code == two.code == 1
    documents = [done.json for done in (one, two)]
    for document in documents:
        for file in document["files"]:
            del file["seconds"]
    assert documents[0] == documents[1]


def test_conform_without_the_name_takes_what_is_said(mmfuzz: Shell, good: Record) -> None:
    path = write(mmfuzz.folder, good, name="mine.jsonl.gz")
    done = run(mmfuzz, path, "--kernel", "linux-6.1", "--swap", "zram", "--batch", 15)
    assert done.code == 0


def test_conform_stores_a_run_and_failures_that_replay(mmfuzz: Shell, good: Record, bad: Record) -> None:
    done = mmfuzz("conform", write(mmfuzz.folder, good, bad), "--json")
    assert done.code == 1
    (run_id,) = done.json["runs"]
    (each,) = done.json["classes"]
    (listed,) = mmfuzz("failure", "list", "--oracle", "conformance", "--run", run_id, "--json").json["failures"]
    assert (listed["id"], listed["class"], listed["kind"], listed["ops"]) == (
        each["failure"],
        "conformance",
        "dirty",
        5,
    )
    assert (listed["violation"]["reading"], listed["violation"]["file"]) == (14, NAME)
    assert mmfuzz("failure", "list", "--class", "conformance", "--kind", "dirty", "--json").json["matching"] == 1
    shown = mmfuzz("failure", "show", each["failure"])
    assert "rerun on real kernel  no" in shown.out
    replayed = mmfuzz("replay", each["failure"])
    assert replayed.code == 1
    assert replayed.out.startswith("FAIL: as stored: dirty of P0 page 0: ")
    assert "the real kernel was NOT run on this shortened trace" in replayed.out
    original = mmfuzz("replay", each["failure"], "--original", "--json")
    assert (original.code, original.json["verdict"], original.json["trace"]["ops"]) == (1, "FAIL", 8)


def test_conform_again_counts_and_does_not_store_twice(mmfuzz: Shell, good: Record, bad: Record) -> None:
    path = write(mmfuzz.folder, good, bad)
    codes = [mmfuzz("conform", path).code for _ in range(2)]
    assert codes == [1, 1]
    (listed,) = mmfuzz("failure", "list", "--json").json["failures"]
    assert (listed["count"], listed["runs"]) == (2, 2)


def test_conform_of_what_agrees_stores_a_run_without_failures(mmfuzz: Shell, good: Record) -> None:
    done = mmfuzz("conform", write(mmfuzz.folder, good))
    assert done.code == 0
    assert "stored as run-" in done.out
    assert mmfuzz("failure", "list", "--json").json["total"] == 0
