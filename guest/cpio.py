"""The form in which a kernel takes its first file system: a cpio archive, "newc".

The same entries give the same bytes: no times, no owners, inodes numbered as the entries come.
Source: Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from stat import S_IFCHR, S_IFDIR, S_IFREG

_MAGIC = b"070701"
_END = "TRAILER!!!"
_LARGEST = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or device. `path` is relative to the root; `mode` has the type of the file in it."""

    path: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        if "\0" in self.path or any(part in {"", ".", ".."} for part in parts) or self.path == _END:
            raise ValueError(f"no path inside an archive: {self.path!r}")
        if len(self.content) > _LARGEST:
            raise ValueError(f"too large for an archive: {self.path}, {len(self.content)} bytes")


def file(path: str, content: bytes, permissions: int = 0o644) -> Entry:
    """A plain file."""
    return Entry(path, S_IFREG | permissions, content)


def folder(path: str, permissions: int = 0o755) -> Entry:
    """A folder. Unpacking makes no folders by itself: it has to come before what lies in it."""
    return Entry(path, S_IFDIR | permissions)


def character_device(path: str, major: int, minor: int, permissions: int = 0o600) -> Entry:
    """A device node. To write it into an archive takes no rights."""
    return Entry(path, S_IFCHR | permissions, device=(major, minor))


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive of the entries, in their order."""
    return b"".join(_pieces(entries))


def _pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    for inode, entry in enumerate(entries, 1):
        yield _header(entry.path, inode, entry.mode, len(entry.content), entry.device)
        yield _padded(entry.content)
    yield _header(_END, 0, 0, 0, (0, 0))


def _header(path: str, inode: int, mode: int, size: int, device: tuple[int, int]) -> bytes:
    """The thirteen numbers of an entry and its name."""
    name = path.encode() + b"\0"
    owner, group, links, time, checksum = 0, 0, 1, 0, 0
    fields = (inode, mode, owner, group, links, time, size, 0, 0, *device, len(name), checksum)
    return _padded(_MAGIC + b"".join(b"%08X" % field for field in fields) + name)


def _padded(data: bytes) -> bytes:
    """The bytes, filled up to a multiple of four."""
    return data + bytes(-len(data) % 4)
