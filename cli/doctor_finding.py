"""What a check of `mmfuzz doctor` says."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `wrong` keeps mmfuzz from working; `note` does not. `mend` is what to do."""

    name: str
    status: Status
    what: str
    mend: str = ""
