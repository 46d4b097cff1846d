"""What a kernel's file says of itself in its header, and what a file is that is no kernel's.

Source: Documentation/arch/x86/boot.rst.
"""

import struct
from pathlib import Path

from workers.targets.errors import BadTargetError, TargetError

# By the offsets of boot.rst.
_SETUP_SECTORS, _SYSTEM_PARAGRAPHS, _MAGIC, _VERSION_POINTER = 0x1F1, 0x1F4, 0x202, 0x20E
_LOAD_FLAGS, _LONG_LOAD_FLAGS, _HEADER_END = 0x211, 0x236, 0x238
_LOADED_HIGH, _KERNEL_64 = 1, 1
_SECTOR, _PARAGRAPH = 512, 16

# How files begin that are given by mistake.
_OTHERS = (
    (b"\x7fELF", "an ELF file: give arch/x86/boot/bzImage, not vmlinux"),
    (b"!<arch>\ndebian-binary", "a Debian package: unpack it with dpkg-deb -x and give its boot/vmlinuz-*"),
    (b"\x1f\x8b", "compressed by gzip: unpack it, or give arch/x86/boot/bzImage"),
    (b"\xfd7zXZ\0", "compressed by xz: unpack it, or give arch/x86/boot/bzImage"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it, or give arch/x86/boot/bzImage"),
    (b"070701", "a cpio archive, such as an initramfs: give the kernel"),
)


def read_release(file: Path) -> str:
    """The release of the kernel in a bzImage, such as 6.1.0-56-cloud-amd64, as `uname -r` shows it.

    BadTargetError says what the file is when it is no bzImage for x86-64, or not a whole one.
    """
    if not file.exists():
        raise BadTargetError(f"no such file: {file}")
    if not file.is_file():
        raise BadTargetError(f"not a file: {file}; give the kernel's bzImage")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise TargetError(f"{file} cannot be read: {error.strerror}") from error
    wrong = _what_is_wrong(data)
    if wrong is not None:
        raise BadTargetError(f"not a kernel for x86-64: {file} is {wrong}")
    start = int.from_bytes(data[_VERSION_POINTER : _VERSION_POINTER + 2], "little") + _SECTOR
    text = data[start : max(start, data.find(b"\0", start))].decode("ascii", "replace")
    release = text.partition(" ")[0]
    if start == _SECTOR or not release or not release.isprintable() or len(release) > 64:
        raise BadTargetError(f"not a kernel for x86-64: {file} does not say its release")
    return release


def _what_is_wrong(data: bytes) -> str | None:
    """What the file is instead of a bzImage for x86-64; None when it is one."""
    if not data:
        return "empty"
    if data[_MAGIC : _MAGIC + 4] != b"HdrS":
        return next((what for start, what in _OTHERS if data.startswith(start)), None) or _plain(data)
    if len(data) < _HEADER_END:
        return "cut off"
    if not data[_LOAD_FLAGS] & _LOADED_HIGH:
        return "a zImage: give arch/x86/boot/bzImage"
    if not data[_LONG_LOAD_FLAGS] & _KERNEL_64:
        return "for 32 bits: build one with CONFIG_X86_64"
    (paragraphs,) = struct.unpack_from("<I", data, _SYSTEM_PARAGRAPHS)
    # What was built long ago says 0 where 4 are meant. The last paragraph need not be full.
    whole = ((data[_SETUP_SECTORS] or 4) + 1) * _SECTOR + (paragraphs - 1) * _PARAGRAPH
    return f"cut off: {len(data)} bytes of at least {whole}" if len(data) < whole else None


def _plain(data: bytes) -> str:
    """What is to be said of a file without a sign that we know."""
    try:
        data[:4096].decode("utf-8")
    except UnicodeDecodeError:
        return "something else: it has no Linux boot header; give arch/x86/boot/bzImage"
    return "text" if b"\0" not in data[:4096] else "something else: it has no Linux boot header"
