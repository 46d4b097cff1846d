"""The differences that somebody has judged: a reviewed list, kept as TOML beside this file."""

from pathlib import Path
from typing import Literal

import msgspec

from fuzzer.conform.classes import ORDER, ClassKey
from fuzzer.conform.compare import END
from fuzzer.conform.errors import KnownError
from simcore.errors import unknown_name
from simcore.ops import OP_BY_NAME

OWN_LIST = Path(__file__).with_name("known-differences.toml")
Fault = Literal["simulator", "kernel", "reading"]


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One judged difference. `kernels` are versions of real kernels; what is None matches anything.

    `readings` are single traces, as SET-VERSION-SWAP:NUMBER: for what is rare in a class that is else the same.
    """

    kernels: tuple[str, ...]
    observables: tuple[str, ...]
    ops: tuple[str, ...]
    fault: Fault
    reason: str
    page: str | None = None
    before: str | None = None
    change: str | None = None
    readings: tuple[str, ...] | None = None

    def explains(self, key: ClassKey, version: str, reading: str) -> bool:
        """Whether a disagreement of this class, in a reading of a real kernel of this version, is this difference."""
        return (
            version in self.kernels
            and (self.readings is None or reading in self.readings)
            and key.observable in self.observables
            and key.op in self.ops
            and self.page in (None, key.page)
            and self.before in (None, key.before)
            and self.change in (None, key.change)
        )


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    difference: tuple[Known, ...] = ()


def read_known(path: Path = OWN_LIST) -> tuple[Known, ...]:
    """The judged differences of a file. KnownError names the file, the entry from 1 and the field."""
    try:
        listed = msgspec.toml.decode(path.read_bytes(), type=_List).difference
    except OSError as error:
        raise KnownError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KnownError(f"{path}: not a list of known differences: {error}") from error
    for number, known in enumerate(listed, start=1):
        wrong = _mistake(known)
        if wrong:
            raise KnownError(f"{path}: difference {number}: {wrong}")
    return listed


def find_known(key: ClassKey, version: str, reading: str, known: tuple[Known, ...]) -> Known | None:
    """The first of the judged differences that explains a disagreement."""
    return next((each for each in known if each.explains(key, version, reading)), None)


def _mistake(known: Known) -> str | None:
    for observable in known.observables:
        if observable not in ORDER:
            return unknown_name("observable", observable, ORDER)
    names = (*OP_BY_NAME, END)
    for op in known.ops:
        if op not in names:
            return unknown_name("op", op, names)
    if () in (known.kernels, known.observables, known.ops, known.readings):
        return "an empty list explains nothing"
    return None if known.reason.strip() else "without a reason it is not judged"
