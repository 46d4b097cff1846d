"""What a kernel's console says of its own trouble."""

import re
from dataclasses import dataclass
from typing import Literal

TroubleKind = Literal["panic", "oops", "bug", "warning", "hung-task", "lockup", "bad-page", "rcu-stall"]
# The first that matches a line names the trouble; the worst come first.
_SIGNS: tuple[tuple[TroubleKind, str], ...] = (
    ("bug", r"kernel BUG at |BUG: (?!Bad|soft|workqueue)|UBSAN: |KASAN: |KFENCE: "),
    ("bad-page", r"BUG: Bad (page|rss-counter)|Bad swap (file|offset) entry|get_swap_device: Bad"),
    ("lockup", r"BUG: soft lockup|hard LOCKUP|BUG: workqueue lockup"),
    ("oops", r"Oops: |general protection fault|unable to handle "),
    ("hung-task", r"blocked for more than \d+ seconds"),
    ("rcu-stall", r"rcu: INFO: .*stall|self-detected stall"),
    ("warning", r"^(?:\[[ .0-9]+\] )?WARNING: "),
    ("panic", r"Kernel panic - not syncing"),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in _SIGNS)
_SYMBOL = re.compile(r"RIP: \S+?:(\w+)\+0x|(?:BUG|WARNING)[^\n]* at (\S+?:\d+)")
# Lines kept around the first sign.
_BEFORE, _AFTER = 3, 60


@dataclass(frozen=True, slots=True)
class Trouble:
    """The first trouble on a console: its kind, the line that says it, where in the kernel, and the lines around it."""

    kind: TroubleKind
    line: str
    place: str
    excerpt: str


def find_trouble(text: str) -> Trouble | None:
    """The first trouble that a console tells of, None if there is none."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        for kind, pattern in _PATTERNS:
            if pattern.search(line):
                around = lines[max(0, number - _BEFORE) : number + _AFTER]
                return Trouble(kind, line.strip(), _place(lines[number : number + _AFTER]), "\n".join(around))
    return None


def _place(lines: list[str]) -> str:
    """The function, or file and line, that the report names first."""
    match = _SYMBOL.search("\n".join(lines))
    return (match[1] or match[2]) if match else ""
