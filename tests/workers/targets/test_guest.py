"""Real guests: a stock kernel in QEMU, held to the suite of targets, to stored readings, and to the simulator."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fuzzer.conform.comparison import Plan, compare_file
from fuzzer.conform.known import OWN_LIST, read_known
from fuzzer.conform.reading import Reading, read_file
from fuzzer.conform.replay import trace_op
from fuzzer.conform.world import base_world, find_source
from simcore.kernel_files import find_kernel
from simcore.trace import Trace
from tests.workers.targets.kernels import bzimage
from workers.targets.boots import make_boot
from workers.targets.check import check_target
from workers.targets.errors import TargetError
from workers.targets.folders import make_folder
from workers.targets.images import KernelImage
from workers.targets.machine import QEMU, Boot, Machine
from workers.targets.record_file import RecordPlan, record_file
from workers.targets.recording import NotRead, record
from workers.targets.session import Limits, Session

READINGS = Path(__file__).parents[2] / "conformance" / "readings"
FEW = 40

pytestmark = [
    pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed (package qemu-system-x86)"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def boot(debian_6_1: KernelImage) -> Boot:
    return make_boot(debian_6_1, "zram")


@pytest.fixture(autouse=True)
def no_guest_is_left() -> Iterator[None]:
    """Whatever a test does, no QEMU of this process may be there after it."""
    yield
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in children if Path(f"/proc/{pid}/comm").exists()]
    assert not [name for name in names if name.startswith("qemu")]


def test_a_stock_kernel_passes_the_suite_of_targets(boot: Boot) -> None:
    failed = [check for check in check_target(lambda limits: Session(boot, limits), many=50) if not check.passed]
    assert not failed


@pytest.mark.parametrize("name", ["main-6.1-zram", "main-6.1-virtio", "main-6.12-zram"])
def test_a_guest_shows_what_was_read_before(name: str, debian_6_1: KernelImage, request: pytest.FixtureRequest) -> None:
    """Readings made long ago, of the same traces: every bit of every page that two runs of then agree in."""
    image = request.getfixturevalue("debian_6_12") if "6.12" in name else debian_6_1
    path = READINGS / f"{name}.jsonl.gz"
    source = find_source(path, "linux-6.1")
    old = [reading for _, reading in read_file(path) if reading.det][:FEW]
    world = base_world(source, 15)
    traces = [Trace("linux-6.1", world, tuple(map(trace_op, reading.ops))) for reading in old]
    with Session(make_boot(image, "zram" if source.swap == "zram" else "disk")) as session:
        new = list(record(session, traces))
    differing = [
        before.id for before, now in zip(old, new, strict=True) if isinstance(now, NotRead) or not _same(before, now)
    ]
    # What reclaim does hangs on I/O that ends by itself: a few of a hundred differ between two runs.
    assert len(differing) <= FEW // 10, differing


def _same(before: Reading, now: Reading) -> bool:
    """Whether either of the two runs of now shows what was read before."""
    if not now.det:
        return True
    results = [result[:3] for result in before.res] == [result[:3] for result in now.res]
    firm = ~((1 << 25) | (1 << 7) | (1 << 6) | (1 << 8))
    pages = all(
        (a or ()) == (b or ()) or all((x ^ y) & firm == 0 for x, y in zip(a or (), b or (), strict=True))
        for rows, others in zip(before.st, now.st, strict=True)
        for a, b in zip(rows, others, strict=True)
    )
    return results and pages and before.fin == now.fin


def test_the_simulator_shows_what_a_real_kernel_shows(boot: Boot, tmp_path: Path) -> None:
    kernel = find_kernel("linux-6.1")
    path = tmp_path / "fresh-6.1-zram.jsonl.gz"
    recorded = record_file(RecordPlan(path, boot, kernel, "zram", 15, seed=3, traces=60))
    assert recorded.readings == 60
    assert not recorded.not_read
    compared = compare_file(Plan(path, kernel, read_known(OWN_LIST)))
    assert compared.settled.traces > 50
    assert compared.settled.unexplained == 0, [each.key for each in compared.settled.classes]


def test_a_guest_ends_with_the_process_that_started_it(boot: Boot, tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom workers.targets.machine import Boot, Machine\n"
        f"boot = Boot(Path({str(boot.kernel)!r}), Path({str(boot.initramfs)!r}), 'zram')\n"
        f"print(Machine(boot, Path({str(tmp_path)!r})).pid, flush=True)\nsys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    guest = int(parent.stdout.readline())
    assert Path(f"/proc/{guest}").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert parent.stdin is not None
    parent.stdin.close()
    for _ in range(100):
        if not Path(f"/proc/{guest}").exists():
            return
        time.sleep(0.1)
    raise AssertionError("QEMU outlived its parent")


def test_folders_of_guests_whose_owner_was_killed_go_with_the_next() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    mine = make_folder()
    left = mine.with_name(f"mmfuzz-guest-{gone.pid}-left")
    left.mkdir()
    (left / "swap.img").touch()
    other = make_folder()
    assert not left.exists()
    assert mine.exists()
    mine.rmdir()
    other.rmdir()


def test_a_kernel_that_does_not_boot_is_told(boot: Boot, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel"
    kernel.write_bytes(bzimage())
    with (
        pytest.raises(TargetError, match="come up"),
        Session(replace(boot, kernel=kernel), Limits(boot_seconds=5)) as session,
    ):
        session.start()


def test_without_qemu_it_is_told_what_to_install(boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError, match="qemu-system-x86"):
        Machine(boot, tmp_path)


def test_a_swap_disk_that_cannot_be_made_is_told(boot: Boot, tmp_path: Path) -> None:
    (tmp_path / "swap.img").mkdir()
    with pytest.raises(TargetError, match=r"swap\.img"):
        Machine(replace(boot, swap="disk"), tmp_path)
