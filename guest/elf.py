"""The sections of a 64-bit little-endian ELF file, as far as kernel modules need them.

Source: elf(5).
"""

import struct

_MAGIC = b"\x7fELF\x02\x01"
# Of the file's header, from e_shoff on: where the headers of the sections are, how large, how many, which has names.
_FILE = struct.Struct("<40xQ10xHHH")
# Of a section's header: where its name is, where it is, how large.
_SECTION = struct.Struct("<I20xQQ")


class NotElf(ValueError):  # noqa: N818 - it reads as what happened
    """Not an ELF file of that kind, or cut off, or without the section."""


def section(data: bytes, name: str) -> bytes:
    """The contents of the section of that name."""
    if not data.startswith(_MAGIC):
        raise NotElf("not a 64-bit ELF file")
    try:
        start, size, number, names_number = _FILE.unpack_from(data)
        headers = [_SECTION.unpack_from(data, start + i * size) for i in range(number)]
        _, names_at, names_size = headers[names_number]
    except (struct.error, IndexError) as error:
        raise NotElf("an ELF file that is cut off") from error
    names = data[names_at : names_at + names_size]
    for name_at, at, length in headers:
        if names[name_at : names.find(b"\0", name_at)] == name.encode():
            content = data[at : at + length]
            if len(content) < length:
                raise NotElf("an ELF file that is cut off")
            return content
    raise NotElf(f"an ELF file without the section {name}")
