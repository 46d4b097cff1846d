"""Pieces of the C file: each is written once, and only those that a trace needs are put together.

A fragment's text is C, with two things that C has not. A line that ends in `/*?name*/` is kept only where the fragment
of that name is used too, one that ends in `/*?!name*/` only where it is not.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_CONDITION = re.compile(r"^(?P<line>.*?)\s*/\*\?(?P<no>!?)(?P<name>\w+)\*/$")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of C: the names of those it calls, and what the program must do for it, and when.

    `check` is called once, before anything is changed, and ends the program where something is missing. `set_up` is
    called once before the first round, `begin` before and `end` after each round, `undo` at the end,
    however that comes; each is a statement. `settings` are files to write before the first round and to restore;
    `requires` tells the reader what the machine must have.
    """

    name: str
    text: str
    uses: tuple[str, ...] = ()
    check: str = ""
    set_up: str = ""
    begin: str = ""
    end: str = ""
    undo: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    requires: str = ""


def choose_fragments(wanted: Iterable[str], known: tuple[Fragment, ...]) -> tuple[Fragment, ...]:
    """The fragments that are wanted and those they use, in the order of `known`."""
    by_name: Mapping[str, Fragment] = {fragment.name: fragment for fragment in known}
    chosen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in chosen:
            chosen.add(name)
            waiting += by_name[name].uses
    return tuple(fragment for fragment in known if fragment.name in chosen)


def resolve_conditions(text: str, names: frozenset[str]) -> str:
    """The text with the lines that these fragments call for, and without their marks."""
    kept = []
    for line in text.splitlines():
        match = _CONDITION.match(line)
        if match is None:
            kept.append(line)
        elif (match["name"] in names) != bool(match["no"]):
            kept.append(match["line"])
    return "\n".join(kept)
