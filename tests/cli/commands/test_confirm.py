"""`mmfuzz confirm`: losses known from findings on a real kernel, and all that cannot be confirmed, told in words."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db import store
from db.database import open_database
from db.values import FailureRecord, RunRecord
from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import Trace, parse_trace
from tests.cli.conftest import Done, Shell
from tests.workers.targets.kernels import bzimage
from tests.workers.targets.kernels import debian_6_1 as debian_6_1
from workers.targets import images
from workers.targets.images import KernelImage
from workers.targets.machine import QEMU

needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed (package qemu-system-x86)")
FEW: tuple[object, ...] = ("--runs", 3, "--guests", 1)

# docs/findings/merged-into-given-up.md
MERGED = (
    "write 0 0 101", "write 0 1 101", "ksm_scan", "write 0 0 101", "madv_free 0 1", "ksm_scan", "reclaim",
)  # fmt: skip
# docs/findings/clean-page-given-up-for-others.md, the first way
GIVEN_UP = ("write 0 0 1", "reclaim", "read 0 0", "fork 0", "madv_free 0 0", "reclaim")
HARMLESS = ("write 0 0 1", "reclaim", "read 0 0")


def trace(*ops: str) -> Trace:
    header = ["mmfuzz trace 1", "kernel linux-6.1", "world processes=2 pages=2 swap=zram"]
    return parse_trace("\n".join([*header, *ops]) + "\n")


def write(folder: Path, *ops: str) -> Path:
    header = ["mmfuzz trace 1", "kernel linux-6.1", "world processes=2 pages=2 swap=zram"]
    path = folder / "given.trace"
    path.write_text("\n".join([*header, *ops]) + "\n")
    return path


def store_failure(shell: Shell, given: Trace) -> str:
    """Store the trace as a failure of its kernel, as the simulator sees it; its id."""
    kernel = find_kernel(given.kernel)
    (violation,) = run_trace(given, kernel).violations
    seen = datetime(2026, 11, 24, 6, 20, tzinfo=UTC)
    record = FailureRecord(
        id="fail-00000000c1", signature="sig-0000000000c1", oracle=violation.oracle, cls=violation.cls,
        kind=violation.kind, kernel=kernel, original=given, minimized=given, reason=violation.what,
        violation=violation.to_json(), cause={"how": "not looked for", "reference": None, "rows": []},
        minimization={}, seed=1, count=1, options={}, versions={}, seen=seen,
    )  # fmt: skip
    shell.database.parent.mkdir(parents=True, exist_ok=True)
    with open_database(shell.database) as database, database.write() as session:
        asked = RunRecord(kernel, given.world, "random", 1, {}, {}, len(kernel.rows), seen)
        store.save_failure(session, store.start_run(session, asked), record)
    return record.id


def confirm(shell: Shell, what: object, image: KernelImage, *more: object, **environment: str) -> Done:
    """Run it with the cache that has the kernel, and with what compiles the guest's agent in the PATH."""
    places = {"MMFUZZ_CACHE": str(image.kernel.parents[3]), "PATH": os.environ["PATH"]}
    return shell("confirm", what, "--target", image.name, *more, **(places | environment))


@pytest.fixture
def no_kernel(tmp_path: Path) -> KernelImage:
    """A target that nothing could boot, in a cache of its own."""
    (tmp_path / "bzImage").write_bytes(bzimage())
    return images.add("own", tmp_path / "bzImage", folder=tmp_path / "cache" / "targets")


@needs_qemu
def test_a_page_merged_into_one_that_was_given_up_is_lost(mmfuzz: Shell, debian_6_1: KernelImage) -> None:
    done = confirm(mmfuzz, write(mmfuzz.folder, *MERGED), debian_6_1, *FEW, "--swap", "virtio")
    assert done.code == 1, done.err
    heading, target, verdict, tried, overall = done.out.splitlines()
    assert heading.endswith("7 ops on linux-6.1, safety lost-store")
    assert target == f"debian-6.1 ({debian_6_1.release})"
    assert verdict.startswith("  virtio  confirmed: P0 page 0 reads zeros: the store of token 101 is lost")
    assert tried.strip() == "the trace as it is: lost-store in 3 of 3 (44% to 100%), in 1 fresh guest"
    assert overall == "confirmed"
    assert not mmfuzz.database.exists()


@needs_qemu
def test_a_clean_page_that_another_process_gave_up_is_lost_and_the_verdict_is_kept(
    mmfuzz: Shell, debian_6_1: KernelImage
) -> None:
    failure = store_failure(mmfuzz, trace(*GIVEN_UP))
    done = confirm(mmfuzz, failure[:9], debian_6_1, *FEW, "--swap", "zram", "--json")
    assert done.code == 1, done.err
    said = done.json
    assert (said["verdict"], said["failure"], said["exit_code"]) == ("confirmed", failure, 1)
    assert said["expected"] == {"oracle": "lost-store", "class": "safety"}
    (result,) = said["results"]
    assert (result["verdict"], result["same"], result["swap"]) == ("confirmed", True, "zram")
    assert (result["failed"], result["runs"], result["unknown"]) == (3, 3, 0)
    assert (result["release"], result["kernel_sha256"]) == (debian_6_1.release, debian_6_1.sha256)
    assert result["tried"][-1]["form"] == result["form"]
    assert result["tried"][-1]["violation"]["process"] == 1
    _check_kept(mmfuzz, failure, result)


def _check_kept(shell: Shell, failure: str, result: Any) -> None:
    (kept,) = shell("failure", "show", failure, "--json").json["confirmations"]
    shared = (
        "id",
        "target",
        "kernel_sha256",
        "release",
        "swap",
        "verdict",
        "form",
        "failed",
        "runs",
        "unknown",
        "reason",
    )
    assert {name: kept[name] for name in shared} == {name: result[name] for name in shared}
    assert (kept["console"], kept["trace_digest"]) == (None, trace(*GIVEN_UP).digest)
    shown = shell("failure", "show", failure).out
    assert f"on debian-6.1 ({result['release']}), swap on zram: confirmed, 3 of 3 runs" in shown


@needs_qemu
def test_a_harmless_trace_is_not_confirmed(mmfuzz: Shell, debian_6_1: KernelImage) -> None:
    done = confirm(mmfuzz, write(mmfuzz.folder, *HARMLESS), debian_6_1, *FEW, "--swap", "zram", "--json")
    assert done.code == 0, done.err
    assert (done.json["verdict"], done.json["expected"], done.json["failure"]) == ("not confirmed", None, None)
    (result,) = done.json["results"]
    assert [(each["form"], each["failed"], each["runs"]) for each in result["tried"]] == [
        ("as it is", 0, 3),
        ("drained", 0, 3),
    ]
    assert (result["form"], result["id"], result["same"]) == (None, None, False)


@pytest.mark.parametrize("op", ["begin reclaim", "pin 0 0", "read 0 0 @1"])
def test_a_trace_that_cannot_be_driven_is_told_with_the_op(mmfuzz: Shell, no_kernel: KernelImage, op: str) -> None:
    done = confirm(mmfuzz, write(mmfuzz.folder, "write 0 0 1", op), no_kernel)
    assert (done.code, done.err) == (2, "")
    assert done.out.count(f"cannot be driven: op 2, `{op}`: ") == 2
    assert done.out.splitlines()[-1] == "cannot be driven"


def test_what_cannot_be_driven_is_kept_unless_that_is_not_wanted(mmfuzz: Shell, no_kernel: KernelImage) -> None:
    failure = store_failure(mmfuzz, trace(*GIVEN_UP, "begin reclaim"))
    done = confirm(mmfuzz, failure, no_kernel, "--no-store", "--json")
    assert [result["id"] for result in done.json["results"]] == [None, None]
    assert mmfuzz("failure", "show", failure, "--json").json["confirmations"] == []
    done = confirm(mmfuzz, failure, no_kernel)
    assert done.code == 2
    assert f"2 verdicts stored with {failure}" in done.out
    kept = mmfuzz("failure", "show", failure, "--json").json["confirmations"]
    assert [each["swap"] for each in kept] == ["virtio", "zram"]
    assert {(each["verdict"], each["form"], each["runs"]) for each in kept} == {("cannot be driven", None, 0)}
    assert "cannot be driven, 0 of 0 runs: op 7, `begin reclaim`: a path" in mmfuzz("failure", "show", failure).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "nowhere"], "unknown target 'nowhere'"),
        (["--target", "own", "--target", "nowhere"], "unknown target 'nowhere'"),
        ([], "Missing option '--target'"),
        (["--target", "own", "--swap", "tape"], "'tape' is not one of 'zram', 'virtio', 'both'"),
        (["--target", "own", "--runs", "0"], "--runs"),
        (["--target", "own", "--original"], "only a stored failure (fail-...) has an original trace"),
    ],
)
def test_a_wrong_call_is_told(mmfuzz: Shell, no_kernel: KernelImage, arguments: list[str], said: str) -> None:
    given = write(mmfuzz.folder, *HARMLESS)
    done = mmfuzz("confirm", given, *arguments, MMFUZZ_CACHE=str(no_kernel.kernel.parents[3]))
    assert (done.code, done.out) == (3, "")
    assert said in done.err


def test_without_qemu_it_is_trouble_of_the_machine(mmfuzz: Shell, debian_6_1: KernelImage, tmp_path: Path) -> None:
    failure = store_failure(mmfuzz, trace(*GIVEN_UP))
    (tmp_path / "bin").mkdir()
    for name in ("gcc", "as", "ld"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    done = confirm(mmfuzz, failure, debian_6_1, PATH=str(tmp_path / "bin"))
    assert done.code == 4, done.out
    assert "qemu-system-x86" in done.err
    assert mmfuzz("failure", "show", failure, "--json").json["confirmations"] == []


@needs_qemu
def test_guests_that_do_not_come_up_confirm_nothing(mmfuzz: Shell, no_kernel: KernelImage) -> None:
    done = confirm(mmfuzz, write(mmfuzz.folder, *MERGED), no_kernel, "--json")
    assert done.code == 2, done.err
    assert done.json["verdict"] == "unknown"
    for result in done.json["results"]:
        assert "before it could come up" in result["reason"]
        assert (result["verdict"], result["runs"], result["tried"], result["form"]) == ("unknown", 0, [], None)
