"""Whether a shorter trace fails in the same way: an exhaustive search in the world of a minimized trace.

Every sequence of ops that the world has is tried, shortest first and the simplest op first, with these left
out: pages and tokens are named in the order of first use, and what follows an op that was skipped equals a
shorter trace, as does what has a drain where there are no batches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from fuzzer.arguments import used
from fuzzer.judge import Judge, word_of
from fuzzer.places import ranges
from fuzzer.rank import op_rank, rank
from fuzzer.tokens import OWN_TOKENS, SHARED_TOKENS, token_of
from simcore.constants import RESULT_SKIPPED, WHOLE_AREA
from simcore.ops import OPS, ArgKind, OpSpec, actor_numbers
from simcore.trace import Trace
from simcore.trace_op import Op, arg_range
from simcore.world import World

LONGEST_SEARCHED = 5
DEFAULT_BUDGET = 20_000


class BudgetSpent(Exception):  # noqa: N818 - it reads as what happened
    """The search has used the executions it was given."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What the search found: a simpler trace or None, and whether all shorter traces were tried and do not
    fail.
    """

    simpler: Trace | None
    none_shorter: bool


def find_simpler(trace: Trace, judge: Judge, budget: int = DEFAULT_BUDGET) -> SearchResult:
    """The shortest trace of the world that fails, and of those the first; within a number of executions."""
    if len(trace.ops) > LONGEST_SEARCHED:
        return SearchResult(None, none_shorter=False)
    search = _Search(trace, judge, judge.executions + budget)
    none_shorter = False
    try:
        for length in range(len(trace.ops)):
            found = search.first_failing(length)
            if found is not None:
                return SearchResult(found, none_shorter=False)
        none_shorter = True
        found = search.first_failing(len(trace.ops))
    except BudgetSpent:
        return SearchResult(None, none_shorter)
    return SearchResult(found, none_shorter)


class _Search:
    """One search; its path is the trace being tried."""

    def __init__(self, trace: Trace, judge: Judge, last_execution: int) -> None:
        self._trace = trace
        self._judge = judge
        self._last_execution = last_execution
        self._world = trace.world
        self._rank = rank(trace)
        self._forms = sorted(_forms(trace.world), key=lambda form: op_rank(form.example))
        self._ops: list[Op] = []
        self._words: list[int] = []
        self._known_choices: dict[object, list[tuple[Op, int]]] = {}

    def first_failing(self, missing: int) -> Trace | None:
        """The first trace, of so many ops more, that fails and is simpler than the one minimized; None if
        none is.
        """
        if missing == 0:
            return self._judged()
        for op, word in self._choices():
            self._ops.append(op)
            self._words.append(word)
            found = self.first_failing(missing - 1) if missing == 1 or self._leads_on() else None
            self._ops.pop()
            self._words.pop()
            if found is not None:
                return found
        return None

    def _judged(self) -> Trace | None:
        self._spend()
        if not self._judge.shows(self._world, self._words):
            return None
        found = replace(self._trace, ops=tuple(self._ops))
        return found if rank(found) < self._rank else None

    def _leads_on(self) -> bool:
        self._spend()
        return self._judge.result_of_last(self._world, self._words) not in (None, RESULT_SKIPPED)

    def _spend(self) -> None:
        if self._judge.executions >= self._last_execution:
            raise BudgetSpent

    def _choices(self) -> list[tuple[Op, int]]:
        """The ops that may follow, with their words, the simplest first; the same wherever the same names are
        used.
        """
        pages = frozenset(used(self._ops, "page"))
        tokens = frozenset(token for op in self._ops if (token := token_of(op)) is not None)
        choices = self._known_choices.get((pages, tokens))
        if choices is None:
            values = _values(pages, tokens, self._world)
            choices = [(op, word_of(op)) for form in self._forms for op in form.ops(values)]
            self._known_choices[pages, tokens] = choices
        return choices


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to write an op: by which thread, begun or run through."""

    spec: OpSpec
    thread: int
    begin: bool
    takes_area: bool = False

    @property
    def example(self) -> Op:
        """The op with least arguments."""
        return Op(self.spec.name, (0,) * len(self.spec.args), self.thread, self.begin)

    def ops(self, values: Mapping[ArgKind, Sequence[int]]) -> Iterator[Op]:
        """The op with every choice of arguments, the least first."""
        for args in product(*(self._choices(kind, values[kind]) for kind in self.spec.args)):
            yield Op(self.spec.name, args, self.thread, self.begin)

    def _choices(self, kind: ArgKind, values: Sequence[int]) -> Sequence[int]:
        """The values of one argument: an op that can be done to the whole huge area may be."""
        return (*values, WHOLE_AREA) if kind == "page" and self.takes_area else values


def _forms(world: World) -> Iterator[_Form]:
    has_steps = "steps" in world.features
    for spec in OPS:
        if not spec.needs <= world.features or (spec.name == "drain" and world.batch == 1):
            continue
        takes_area = spec.area and len(ranges(world)["area"]) > 0
        for begin in (False, True) if has_steps and spec.path else (False,):
            for thread in (0, 1) if has_steps and spec.actor == "thread" else (0,):
                yield _Form(spec, thread, begin, takes_area)


def _values(pages: frozenset[int], tokens: frozenset[int], world: World) -> dict[ArgKind, Sequence[int]]:
    """The values of each kind of argument worth trying where these pages and tokens have been used."""
    # A cgroup's limit above what all pages together can be charged is none.
    most_charged = min(world.processes * world.total_pages, arg_range("count", world)[1])
    return {
        "process": range(world.processes),
        "page": _pages(pages, world),
        "token": _tokens(tokens, world),
        "memcg": range(world.memcgs),
        "count": range(most_charged + 1),
        "actor": sorted(actor_numbers(world.processes).values()),
    }


def _pages(named: frozenset[int], world: World) -> list[int]:
    """The pages used so far, and the first unused one of those that are alike.

    Of a file and of the huge area no two pages are: truncation and the neighbours in a page table tell them apart.
    """
    merged = [page for page in range(world.mergeable) if page not in named]
    others = [page for page in range(world.mergeable, world.pages) if page not in named]
    return sorted({*named, *merged[:1], *others[:1], *range(world.pages, world.total_pages)} - {WHOLE_AREA})


def _tokens(stored: frozenset[int], world: World) -> list[int]:
    """A token of its own for the store, or where equal contents matter one that is shared."""
    own = next(token for token in OWN_TOKENS if token not in stored)
    if "ksm" not in world.features:
        return [own]
    shared = [token for token in SHARED_TOKENS if token in stored]
    unused = [token for token in SHARED_TOKENS if token not in stored]
    return [own, *shared, *unused[:1]]
