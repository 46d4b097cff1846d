"""A QEMU process: how it is started, what it says, and that it ends."""

import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workers.targets.errors import LostGuestError, TargetError

QEMU = "qemu-system-x86_64"
Accelerator = Literal["tcg", "kvm"]
MEMORY_MIB_PER_NODE = 320
DISK_BYTES = 64 << 20
# A kernel that writes more than this to its console does nothing else any more.
MOST_CONSOLE_BYTES = 4 << 20
# No output but errors, no reboot: QEMU ends when the guest panics or powers off. The random number generator is
# trusted so that nothing waits for entropy.
COMMAND_LINE = (
    "console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off nokaslr random.trust_cpu=on tsc=reliable"
    " no_timer_check nmi_watchdog=0"
)
Swap = Literal["zram", "disk"]
SWAP_DEVICES: dict[Swap, str] = {"zram": "zram0", "disk": "vda"}


@dataclass(frozen=True, slots=True)
class Boot:
    """What is booted, and how."""

    kernel: Path
    initramfs: Path
    swap: Swap
    accelerator: Accelerator = "tcg"
    nodes: int = 2


class Machine:
    """A running guest. `folder` is its own: it gets the console's log and the swap disk."""

    def __init__(self, boot: Boot, folder: Path) -> None:
        self.console = folder / "console.log"
        self._complaints = folder / "qemu.log"
        disk = folder / "swap.img"
        if boot.swap == "disk":
            _make_disk(disk)
        command = [*_bound_to_parent(), *_command(boot, self.console, disk)]
        with self._complaints.open("wb") as complaints:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, bufsize=0
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def send(self, data: bytes, deadline: float) -> None:
        """Write to the channel. LostGuestError if the guest takes nothing until the deadline (of time.monotonic())."""
        assert self._process.stdin is not None
        file = self._process.stdin.fileno()
        os.set_blocking(file, False)
        while data:
            if not select.select([], [file], [], max(0.0, deadline - time.monotonic()))[1]:
                raise LostGuestError("the guest takes no more messages")
            try:
                data = data[os.write(file, data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise LostGuestError("the guest is gone") from None

    def receive(self, deadline: float) -> bytes | None:
        """What came over the channel; nothing if the guest is gone, None if nothing came until the deadline."""
        assert self._process.stdout is not None
        file = self._process.stdout.fileno()
        if not select.select([file], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        return os.read(file, 1 << 16)

    def console_bytes(self) -> int:
        """How much the guest has written to its console."""
        return self.console.stat().st_size if self.console.exists() else 0

    def read_console(self) -> str:
        """What stands on the console, at most the last part."""
        if not self.console.exists():
            return ""
        with self.console.open("rb") as file:
            file.seek(max(0, self.console_bytes() - MOST_CONSOLE_BYTES))
            return file.read().decode("utf-8", "replace").replace("\r", "")

    def complaints(self) -> str:
        """What QEMU itself said."""
        return self._complaints.read_text("utf-8", "replace").strip()

    def exit_code(self, seconds: float = 0.0) -> int | None:
        """QEMU's exit code, None while it runs; waits for it so long."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Kill it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def find_qemu() -> str:
    """The path of QEMU. TargetError when it is not installed."""
    found = shutil.which(QEMU)
    if found is None:
        raise TargetError(f"{QEMU} is not installed; on Debian: apt-get install qemu-system-x86")
    return found


def _command(boot: Boot, console: Path, disk: Path) -> list[str]:
    words = [
        find_qemu(), "-no-user-config", "-nodefaults", "-nic", "none", "-display", "none", "-no-reboot",
        "-machine", "q35", "-cpu", "host" if boot.accelerator == "kvm" else "max", "-smp", "1",
        "-accel", "kvm" if boot.accelerator == "kvm" else "tcg,tb-size=128",
        "-m", str(MEMORY_MIB_PER_NODE * boot.nodes),
        "-kernel", str(boot.kernel), "-initrd", str(boot.initramfs),
        "-append", f"{COMMAND_LINE} mm_swap={SWAP_DEVICES[boot.swap]} mm_channel=ttyS1",
        "-chardev", f"file,id=console,path={_escaped(console)}", "-serial", "chardev:console",
        "-chardev", "stdio,id=channel,signal=off", "-serial", "chardev:channel",
    ]  # fmt: skip
    for node in range(boot.nodes):
        cpus = ",cpus=0" if node == 0 else ""
        words += [
            "-object", f"memory-backend-ram,id=m{node},size={MEMORY_MIB_PER_NODE}M",
            "-numa", f"node,nodeid={node},memdev=m{node}{cpus}",
        ]  # fmt: skip
    if boot.swap == "disk":
        words += [
            "-drive", f"file={_escaped(disk)},format=raw,if=none,id=swap,cache=unsafe",
            "-device", "virtio-blk-pci,drive=swap",
        ]  # fmt: skip
    return words


def _escaped(path: Path) -> str:
    """A path as a value of QEMU's options, where a comma separates."""
    return str(path).replace(",", ",,")


def _bound_to_parent() -> list[str]:
    """What makes QEMU die with the process that started it, however that dies."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _make_disk(path: Path) -> None:
    try:
        with path.open("wb") as file:
            file.truncate(DISK_BYTES)
    except OSError as error:
        raise TargetError(f"the swap disk cannot be made: {path} ({error.strerror})") from error
