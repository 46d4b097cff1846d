"""Which accelerator boots a kernel: KVM if it does boot it here, else QEMU's own translator.

That /dev/kvm can be opened, and a virtual machine created, proves nothing: where the machine is itself virtual, KVM
may be an emulation in software on which no stock kernel gets to its first process. So it is tried.
"""

import os
from dataclasses import replace
from pathlib import Path

from workers.targets.boots import make_boot
from workers.targets.errors import TargetError
from workers.targets.images import KernelImage
from workers.targets.machine import Accelerator, Boot, Swap
from workers.targets.session import Limits, Session

KVM = Path("/dev/kvm")
TRIAL_SECONDS = 15.0
_HARDWARE_FLAGS = {"vmx", "svm"}


def choose_boot(image: KernelImage, swap: Swap) -> tuple[Boot, str]:
    """What boots this kernel with this swap device by the best accelerator of this machine, and why by that one."""
    boot = make_boot(image, swap)
    accelerator, why = choose_accelerator(boot)
    return replace(boot, accelerator=accelerator), why


def choose_accelerator(boot: Boot) -> tuple[Accelerator, str]:
    """The accelerator for this boot on this machine, and why."""
    if not os.access(KVM, os.R_OK | os.W_OK):
        return "tcg", f"{KVM} cannot be opened"
    if not _has_hardware():
        return "tcg", "the processor has neither VMX nor SVM"
    try:
        with Session(replace(boot, accelerator="kvm"), Limits(boot_seconds=TRIAL_SECONDS)) as session:
            session.start()
    except TargetError as error:
        return "tcg", f"a trial boot with KVM failed: {error}"
    return "kvm", "a trial boot with KVM passed"


def _has_hardware(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor says that it can run guests by itself."""
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(_HARDWARE_FLAGS & set(line.split()) for line in lines if line.startswith("flags"))
