"""A reader of cpio archives, after the description in cpio(5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive says of one of its entries."""

    path: str
    mode: int
    content: bytes
    device: tuple[int, int]


def unpack(data: bytes) -> list[Unpacked]:
    """The entries of a newc archive; AssertionError where it is not as it should be."""
    found: list[Unpacked] = []
    inodes = set()
    at = 0
    while True:
        assert data[at : at + 6] == b"070701", f"no header at {at}"
        numbers = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        inode, mode, owner, group, _, time, size, _, _, major, minor, name_size, checksum = numbers
        name = data[at + 110 : at + 110 + name_size]
        assert (owner, group, time, checksum, name[-1:]) == (0, 0, 0, 0, b"\0")
        start = rounded(at + 110 + name_size)
        at = rounded(start + size)
        if name == b"TRAILER!!!\0":
            assert at == len(data)
            return found
        assert inode not in inodes
        inodes.add(inode)
        found.append(Unpacked(name[:-1].decode(), mode, data[start : start + size], (major, minor)))


def rounded(number: int) -> int:
    """The next multiple of four."""
    return (number + 3) // 4 * 4
