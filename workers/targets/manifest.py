"""What is written down about a kernel that is kept."""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from workers.targets.errors import TargetError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What manifest.json says. `files` is the folder beside it that has the files; `source` is where they are from."""

    version: int
    name: str
    release: str
    files: str
    sha256: str
    size_bytes: int
    modules: bool
    source: str
    added: datetime

    def to_json(self) -> bytes:
        """The manifest as text."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


class _AnyVersion(msgspec.Struct):
    version: int


def read_manifest(home: Path) -> Manifest:
    """The manifest in a target's folder. FileNotFoundError without one, TargetError when it cannot be understood."""
    file = home / MANIFEST
    remedy = f"`mmfuzz target remove {home.name}`, then add or fetch it again"
    try:
        text = file.read_bytes()
        version = msgspec.json.decode(text, type=_AnyVersion).version
        if version != FORMAT:
            raise TargetError(
                f"kept by another release of mmfuzz: {file} is of version {version}, not {FORMAT}; {remedy}"
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TargetError(f"{file} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise TargetError(f"{file} is damaged: {error}; {remedy}") from error
    if manifest.name != home.name or not is_files(manifest.files):
        raise TargetError(f"{file} is of something else: {manifest.name!r}, {manifest.files!r}; {remedy}")
    return manifest


def is_files(name: str) -> bool:
    """Whether a folder beside the manifest can be called that."""
    return name.startswith("files-") and "/" not in name
