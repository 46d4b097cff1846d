"""From a kernel that is kept to what is booted: the agent compiled, the initramfs made, the accelerator chosen."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from guest.build import build_agent
from guest.initramfs import build_initramfs
from guest.kmod import loading_order
from workers.targets.images import KernelImage
from workers.targets.machine import Accelerator, Boot, Swap
from workers.targets.place import agents_folder

# What the guest needs that a distribution's kernel may have as modules.
MODULES: Mapping[Swap, tuple[str, ...]] = {"zram": ("zram",), "disk": ("virtio_pci", "virtio_blk")}
_NO_FILES: Mapping[str, bytes] = {}


def make_boot(
    image: KernelImage,
    swap: Swap,
    *,
    accelerator: Accelerator = "tcg",
    files: Mapping[str, bytes] = _NO_FILES,
    folder: Path | None = None,
) -> Boot:
    """What boots this kernel with this swap device; `files` are put into its initramfs.

    `folder` is where agents and initramfs are kept, the user's cache by default. AgentError when the agent cannot be
    compiled, ModuleError when the kernel's modules lack something.
    """
    home = folder or agents_folder()
    agent = build_agent(home).read_bytes()
    content = build_initramfs(agent, loading_order(image.modules, MODULES[swap]), files)
    return Boot(image.kernel, _keep(content, home), swap, accelerator)


def _keep(content: bytes, folder: Path) -> Path:
    """The file with this content, named by its digest."""
    path = folder / f"initramfs-{hashlib.sha256(content).hexdigest()[:16]}.cpio"
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".initramfs-", delete=False) as file:
            file.write(content)
        Path(file.name).rename(path)
    return path
