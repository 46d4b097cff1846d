"""What a kernel's file says of itself, and what is said of files that are none."""

import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.targets.kernels import bzimage
from workers.targets.bzimage import read_release
from workers.targets.errors import BadTargetError
from workers.targets.images import KernelImage


def test_the_release_is_that_of_uname(tmp_path: Path, debian_6_1: KernelImage, debian_6_12: KernelImage) -> None:
    (tmp_path / "k").write_bytes(bzimage("6.13.0-rc1+"))
    assert read_release(tmp_path / "k") == "6.13.0-rc1+"
    for image in (debian_6_1, debian_6_12):
        assert image.modules is not None
        assert read_release(image.kernel) == image.release
        assert image.release.endswith("-cloud-amd64")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"#!/bin/sh\necho hello\n", "is text"),
        (b"\0" * 5000, "it has no Linux boot header"),
        (bytes(range(256)) * 20, "it has no Linux boot header"),
        (b"\x7fELF" + b"\0" * 5000, "give arch/x86/boot/bzImage, not vmlinux"),
        (b"!<arch>\ndebian-binary   123", "a Debian package"),
        (lzma.compress(b"kernel"), "compressed by xz"),
        (b"070701" + b"0" * 5000, "a cpio archive"),
        (bzimage(magic=b"????"), "it has no Linux boot header"),
        (bzimage(high=False), "a zImage"),
        (bzimage(long=False), "for 32 bits"),
        (bzimage()[:0x210], "is cut off"),
        (bzimage()[:3000], "is cut off: 3000 bytes of at least 6640"),
        (bzimage(release=""), "does not say its release"),
    ],
)
def test_what_is_no_kernel_is_told_with_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(BadTargetError, match=said):
        read_release(tmp_path / "k")


@pytest.mark.parametrize(
    ("make", "said"), [(lambda _: None, "no such file"), (Path.mkdir, "not a file")], ids=["missing", "folder"]
)
def test_a_missing_file_and_a_folder_are_told(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "k")
    with pytest.raises(BadTargetError, match=said):
        read_release(tmp_path / "k")


def test_a_real_kernel_that_is_cut_off_is_told(tmp_path: Path, debian_6_1: KernelImage) -> None:
    whole = debian_6_1.kernel.read_bytes()
    (tmp_path / "k").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadTargetError, match="is cut off"):
        read_release(tmp_path / "k")
