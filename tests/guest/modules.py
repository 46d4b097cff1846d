"""Kernel modules, as far as anybody looks at them here, and trees of them."""

import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

RELEASE = "6.1.0-test"
SECTION = struct.Struct("<IIQQQQIIQQ")


def module(name: str, depends: Sequence[str] = (), release: str = RELEASE) -> bytes:
    """A 64-bit ELF file with a .modinfo, as the kernel's build ends it."""
    entries = ["license=GPL", f"depends={','.join(depends)}", f"name={name}", f"vermagic={release} SMP preempt "]
    return elf({".modinfo": "".join(f"{entry}\0" for entry in entries).encode()})


def elf(sections: Mapping[str, bytes]) -> bytes:
    """An ELF file of the sections, with one of names and the empty one that comes first."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    contents = {**sections, ".shstrtab": names}
    headers = [SECTION.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]
    body = b""
    for name, content in contents.items():
        at = names.index(f"\0{name}\0".encode()) + 1
        headers.append(SECTION.pack(at, 1, 0, 0, 64 + len(body), len(content), 0, 0, 1, 0))
        body += content
    start = struct.pack("<16sHHIQQQIHHH", b"\x7fELF\x02\x01\x01", 1, 62, 1, 0, 0, 64 + len(body), 0, 64, 0, 0)
    return start + struct.pack("<HHH", SECTION.size, len(headers), len(headers) - 1) + body + b"".join(headers)


def tree(folder: Path, files: Mapping[str, bytes], built_in: Sequence[str] = ()) -> Path:
    """A folder lib/modules/RELEASE with files by their paths below kernel/, compressed as their names say."""
    for path, content in files.items():
        file = folder / "kernel" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PACK[file.suffix](content))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "modules.builtin").write_text("".join(f"kernel/{path}\n" for path in built_in))
    return folder


def _zstd(content: bytes) -> bytes:
    assert shutil.which("zstd"), "a test that compresses by zstd is skipped without the program"
    return subprocess.run(["zstd", "-cq"], input=content, capture_output=True, check=True).stdout


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".ko": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": _zstd,
}
