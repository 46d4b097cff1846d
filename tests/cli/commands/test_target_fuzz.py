"""`mmfuzz target fuzz` on a real kernel: what it finds, how it stores that, and how it is stopped."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from cli.output import Screen
from cli.stopping import StopRequest
from cli.target_fuzz import TargetFuzz
from cli.target_fuzz_run import FuzzPlan
from simcore.kernel_files import find_kernel
from simcore.trace import Trace, parse_trace
from tests.cli.conftest import Done, Shell
from tests.workers.targets.kernels import debian_6_1 as debian_6_1
from workers.targets.boots import make_boot
from workers.targets.fuzzing import Budget
from workers.targets.images import KernelImage
from workers.targets.machine import QEMU
from workers.targets.place import cache_folder

pytestmark = [
    pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed (package qemu-system-x86)"),
    pytest.mark.timeout(600),
]

# docs/findings/merged-into-given-up.md, between ops that it does not need.
MERGED: Trace = parse_trace(
    """mmfuzz trace 1
kernel linux-6.1
world processes=2 pages=3 frames=120 slots=128 memcgs=1 mergeable=3 swap=zram batch=15 without=io_error,memcg,steps
write 0 2 5
write 0 0 101
write 0 1 101
ksm_scan
read 0 2
write 0 0 101
madv_free 0 1
ksm_scan
reclaim
read 0 2
"""
)


def run(shell: Shell, *arguments: object) -> Done:
    """Run it with the cache in which the kernels of tests are."""
    return shell(*arguments, MMFUZZ_CACHE=str(cache_folder()))


@pytest.fixture(scope="module")
def merged(
    debian_6_1: KernelImage, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Shell, dict[str, Any]]:
    """The known loss as the only trace that is run, found and stored; and it as `mmfuzz failure show` has it."""
    shell = Shell(root, tmp_path_factory.mktemp("merged"))
    database = str(shell.folder / "data" / "mmfuzz" / "mmfuzz.db")
    plan = FuzzPlan(
        make_boot(debian_6_1, "zram"),
        find_kernel("linux-6.1"),
        "zram",
        "6.1",
        15,
        seed=1,
        budget=Budget(traces=1),
        first=(MERGED,),
    )
    shell.database.parent.mkdir(parents=True)
    with StopRequest() as stop:
        assert TargetFuzz(Screen(as_json=True), debian_6_1, plan, 1, stop, database).execute() == 1
    listed = run(shell, "failure", "list", "--json").json["failures"]
    assert len(listed) == 1
    return shell, run(shell, "failure", "show", listed[0]["id"], "--json").json


def test_a_known_loss_is_minimized_on_the_real_kernel_with_its_rates(
    merged: tuple[Shell, dict[str, Any]], debian_6_1: KernelImage
) -> None:
    _, failure = merged
    assert (failure["oracle"], failure["class"]) == ("lost-store", "safety")
    assert failure["ops"] == 7
    options = failure["options"]
    assert (options["target"], options["sha256"], options["swap"]) == (debian_6_1.name, debian_6_1.sha256, "zram")
    assert options["rate"]["runs"] == 10
    assert options["rate"]["failed"] >= 8
    assert options["fresh_rate"]["runs"] == 30
    assert options["fresh_rate"]["failed"] >= 25
    assert options["simulated"] == "lost-store"


def test_a_replay_says_that_only_the_real_kernel_can_tell(merged: tuple[Shell, dict[str, Any]]) -> None:
    shell, failure = merged
    done = run(shell, "replay", failure["id"])
    assert done.code == 2
    assert "seen on a real kernel, debian-6.1" in done.out
    assert f"mmfuzz confirm {failure['id']} --target debian-6.1 --swap zram" in done.out


@pytest.mark.parametrize("command", ["explain FAILURE", "export FAILURE --c", "failure show FAILURE", "failure list"])
def test_other_commands_take_such_a_failure(command: str, merged: tuple[Shell, dict[str, Any]]) -> None:
    shell, failure = merged
    done = run(shell, *command.replace("FAILURE", failure["id"]).split())
    assert done.code == 0, done.err
    assert "lost-store" in done.out


def test_a_run_of_some_traces_is_told_and_sums_up(mmfuzz: Shell, debian_6_1: KernelImage) -> None:
    done = run(mmfuzz, "target", "fuzz", debian_6_1.name, "--traces", 50, "--seed", 1, "--json", "--no-store")
    said = done.json
    assert done.code == (1 if said["failures"] else 0), done.err
    assert (said["run_traces"], said["unknown"], said["ended_by"]) == (50, 0, "traces")
    assert said["kernel"] == "linux-6.1"
    assert said["run"] is None


def test_ctrl_c_stops_cleanly_and_kill_leaves_no_guest(mmfuzz: Shell, debian_6_1: KernelImage) -> None:
    stopped = start(mmfuzz, debian_6_1)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=60)
    assert stopped.returncode in (1, 2), err
    assert "stopped by you" in out or stopped.returncode == 1
    killed = start(mmfuzz, debian_6_1)
    guests = below(killed.pid)
    assert any(name.startswith("qemu") for name in guests.values())
    killed.kill()
    killed.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while alive(guests) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(guests)


def start(shell: Shell, image: KernelImage) -> "subprocess.Popen[str]":
    """Start it and wait until a guest runs traces."""
    environment = shell.environment | {"MMFUZZ_CACHE": str(cache_folder())}
    command = shell.command("target", "fuzz", image.name, "--seconds", 300, "--seed", 1, "--no-store")
    process = subprocess.Popen(
        command, cwd=shell.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "traces, " in line:
            break
    return process


def below(pid: int) -> dict[int, str]:
    """The names of all processes that a process has started, and those have."""
    found: dict[int, str] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child: Path(f"/proc/{child}/comm").read_text().strip()} | below(child)
    return found


def alive(processes: dict[int, str]) -> list[int]:
    """Those that are still there; one that nobody has waited for is not."""
    files = {pid: Path(f"/proc/{pid}/status") for pid in processes}
    return [pid for pid, file in files.items() if file.exists() and "State:\tZ" not in file.read_text()]
