"""Kernels for tests: Debian's own, fetched once into the user's cache, and files that only look like one."""

import shutil
import struct

import pytest

from workers.targets import debian
from workers.targets.images import KernelImage

RELEASE = "6.1.0-test"
SECTORS = 4


@pytest.fixture(scope="session")
def debian_6_1() -> KernelImage:
    """The newest cloud kernel 6.1 of Debian; virtio and zram are modules, not compressed."""
    return _fetched("debian:6.1")


@pytest.fixture(scope="session")
def debian_6_12() -> KernelImage:
    """The newest cloud kernel 6.12 of Debian; virtio is built in but for the disk, modules are .ko.xz."""
    return _fetched("debian:6.12")


def _fetched(spec: str) -> KernelImage:
    if shutil.which("apt-get") is None:
        pytest.skip(f"{spec} is fetched by apt-get, which this machine does not have")
    return debian.fetch(spec).image


def bzimage(release: str = RELEASE, *, magic: bytes = b"HdrS", high: bool = True, long: bool = True) -> bytes:
    """A file with the boot header of a kernel, and nothing to boot."""
    system = b"\xcc" * 4096
    setup = bytearray((SECTORS + 1) * 512)
    text = f"{release} (somebody@somewhere) #1 SMP\0".encode()
    setup[0x400 : 0x400 + len(text)] = text
    setup[0x1F1] = SECTORS
    struct.pack_into("<I", setup, 0x1F4, len(system) // 16)
    struct.pack_into("<4sHIHH", setup, 0x202, magic, 0x20F, 0, 0, 0x400 - 0x200)
    setup[0x211] = int(high)
    setup[0x236] = int(long)
    return bytes(setup) + system
