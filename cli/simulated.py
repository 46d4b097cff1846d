"""The simulator's kernel that stands for a real one."""

from cli.errors import UsageMistake
from fuzzer.conform.world import version_in
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from workers.targets.images import KernelImage


def simulated_kernel(image: KernelImage, spec: str | None) -> Kernel:
    """The kernel asked for, else the shipped one of the real kernel's version. UsageMistake where that has none."""
    version = version_in(image.release)
    if spec is None and version is None:
        raise UsageMistake(f"the release of {image.name}, {image.release}, names no version; say --kernel")
    return find_kernel(spec or f"linux-{version}")
