"""Disagreements sorted into classes: what differs, after which op, on which page, in which state it was before."""

import errno
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from fuzzer.conform.compare import END, Disagreement
from fuzzer.conform.observables import OBSERVABLE_BY_NAME, OBSERVABLES, SMAPS_NAMES, class_word, words
from fuzzer.conform.reading import AREA, SMALL_PAGES, Reading
from simcore.ops import OP_BY_NAME

SMAPS_PREFIX = "smaps-"
# In the order in which the first disagreement of an op is chosen.
ORDER: tuple[str, ...] = (
    "alive", "errno", "value", *(each.name for each in OBSERVABLES), *(SMAPS_PREFIX + name for name in SMAPS_NAMES),
)  # fmt: skip
# The token of bytes that nobody stored.
FOREIGN_TOKEN = 255


@dataclass(frozen=True, slots=True)
class ClassKey:
    """What the disagreements of a class have in common, in words.

    `page` says which page it is for the op, and of what kind; `before` its state in the reading before the op;
    `change` what the simulator shows and what the real kernel showed.
    """

    observable: str
    op: str
    page: str
    before: str
    change: str

    @property
    def id(self) -> str:
        """The text "dis-" and 8 hex digits."""
        text = "\n".join((self.observable, self.op, self.page, self.before, self.change))
        return "dis-" + hashlib.sha256(text.encode()).hexdigest()[:8]

    def __str__(self) -> str:
        """The class in one line."""
        after = "at the end" if self.op == END else f"after {self.op}"
        return f"{self.observable} {after}: {self.change}; {self.page}, before: {self.before}"


def class_of(found: Disagreement, reading: Reading, *, ksm: bool = True) -> ClassKey:
    """The class of a disagreement. Without `ksm` the reading's KSM bit is wrong and goes unmentioned."""
    op = reading.ops[found.at][0] if found.at < len(reading.ops) else END
    simulated, real = change_words(found, reading)
    before = _before(found, reading, ksm=ksm)
    return ClassKey(found.observable, op, _page(found, reading), before, f"{simulated}, really {real}")


def choose_first(disagreements: Iterable[Disagreement]) -> Disagreement:
    """Of one op's disagreements the one that stands for all: in the order of ORDER, then the lowest page."""
    return min(disagreements, key=lambda each: (ORDER.index(each.observable), each.process, each.page))


def change_words(found: Disagreement, reading: Reading) -> tuple[str, str]:
    """What the simulator shows, and what the real kernel showed, in words: `none` and `present`."""
    words_of = _WORDS_OF.get(found.observable, _plain)
    return words_of(found, found.simulated, reading), words_of(found, found.real, reading)


def page_kind(page: int) -> str:
    """Of what kind a page is by its number."""
    if page < 8:
        return "anon"
    if page < SMALL_PAGES:
        return "shared file" if page < 10 else "private file"
    return "area"


def page_name(process: int, page: int) -> str:
    """`P0 page 3`, or the whole area."""
    return f"P{process} the area" if page == AREA else f"P{process} page {page}"


def _page(found: Disagreement, reading: Reading) -> str:
    kind = page_kind(found.page)
    if found.at >= len(reading.ops):
        return f"{kind} page"
    name, process, page, _ = reading.ops[found.at]
    if "page" not in OP_BY_NAME[name].args:
        return f"{kind} page"
    if (found.process, found.page) == (process, page):
        return f"its {kind} page" if page != AREA else "its area"
    if page == AREA and found.page >= SMALL_PAGES:
        return "its area" if found.process == process else "the area of another process"
    return f"the same {kind} page of another process" if found.page == page else f"another {kind} page"


def _before(found: Disagreement, reading: Reading, *, ksm: bool) -> str:
    state = state_before(found, reading)
    if state is None:
        return "the whole area" if found.page == AREA else "of a process not there yet"
    return words(state, ksm=ksm)


def state_before(found: Disagreement, reading: Reading) -> int | None:
    """The page in the reading before the op; None for one of a process that was not there, and for the whole area."""
    if found.page == AREA:
        return None
    if found.at == 0:
        return 0 if found.process == 0 else None
    states = reading.st[found.at - 1]
    row = states[found.process] if found.process < len(states) else None
    return None if row is None else row[found.page]


def _plain(found: Disagreement, value: int, _reading: Reading) -> str:
    observable = OBSERVABLE_BY_NAME.get(found.observable)
    if observable is not None:
        number = observable.value(value)
        return str(number) if observable.width > 1 else ("set" if number else "clear")
    if found.observable.startswith(SMAPS_PREFIX):
        bit = SMAPS_NAMES.index(found.observable.removeprefix(SMAPS_PREFIX))
        return "some" if value >> bit & 1 else "none"
    return str(value)


def _class(_found: Disagreement, value: int, _reading: Reading) -> str:
    return class_word(value)


def _share(found: Disagreement, value: int, reading: Reading) -> str:
    own = found.process * reading.pages + found.page
    return "apart" if OBSERVABLE_BY_NAME["share"].value(value) == own else "shared"


def _compound(_found: Disagreement, value: int, _reading: Reading) -> str:
    return ("small", "head", "tail", "head and tail")[OBSERVABLE_BY_NAME["compound"].value(value)]


def _errno(_found: Disagreement, value: int, _reading: Reading) -> str:
    if value < 0:
        return "blocked" if value == -1 else "SIGBUS"
    return "no error" if value == 0 else errno.errorcode.get(value, str(value))


def _value(found: Disagreement, value: int, reading: Reading) -> str:
    if found.at < len(reading.ops) and reading.ops[found.at][0] == "migrate":
        return f"node {value}"
    return {0: "zeros", FOREIGN_TOKEN: "bytes nobody stored"}.get(value, "a token")


def _alive(_found: Disagreement, value: int, _reading: Reading) -> str:
    return "alive" if value else "gone"


_WORDS_OF = {
    "class": _class,
    "share": _share,
    "compound": _compound,
    "errno": _errno,
    "value": _value,
    "alive": _alive,
}
