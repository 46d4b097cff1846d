"""The passes of minimization: each proposes simpler traces of one sort, over and over, until none is taken.

A pass looks at nothing but the reducer's best trace; proposals that are not simpler are refused there.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

from fuzzer.arguments import least_size, renamed, used
from fuzzer.places import (
    KINDS_OF_FEATURE,
    KINDS_OF_SIZE,
    Kind,
    Place,
    first_subpage,
    least_pages,
    moved,
    page_at,
    place_of,
    used_places,
    with_places,
    without_kinds,
)
from fuzzer.rank import is_stepped, op_rank
from fuzzer.reducer import Pass, Reducer
from fuzzer.tokens import free_token, renumber_tokens, shared_stores, with_own_token
from simcore.constants import FIRST_SHARED_TOKEN, KSWAPD, MAX_VPN, WHOLE_AREA
from simcore.ops import KERNEL_ACTORS, OP_BY_NAME, OPS, ArgKind, actor_numbers
from simcore.trace import Trace
from simcore.trace_op import Op, arg_range
from simcore.world import SIZES, World

# A pair of ops is tried for deletion only in traces up to this length: pairs grow with its square.
LONGEST_FOR_PAIRS = 40
NAMED_SIZES: dict[str, ArgKind] = {"processes": "process", "memcgs": "memcg"}
# Sizes at which the world is plain.
PLAIN_SIZES: dict[str, int] = {"batch": 1, "huge": 0, "file": 0, "advised": 1}


def delete_ops(r: Reducer) -> None:
    """Leave out runs of ops, half of the trace first, then ever shorter ones, from the end to the start."""
    size = max(1, len(r.ops) // 2)
    while size:
        end = len(r.ops)
        while end > 0:
            start = max(0, end - size)
            r.attempt_ops(r.ops[:start], r.ops[end:])
            end = start
        size //= 2


def delete_pairs(r: Reducer) -> None:
    """Leave out two ops at once, such as an mlock and its munlock."""
    if len(r.ops) > LONGEST_FOR_PAIRS:
        return
    pairs = iter(_pairs(r))
    for i, j in pairs:
        if r.attempt_ops(r.ops[:i], r.ops[i + 1 : j], r.ops[j + 1 :]):
            pairs = iter(_pairs(r))


def delete_features(r: Reducer) -> None:
    """Take features out of the world, together with the ops that need them."""
    for name in sorted(r.best.world.features):
        if name in r.best.world.features:
            any(r.attempt(candidate) for candidate in _without_feature(r.best, name))


def _without_feature(trace: Trace, name: str) -> Iterator[Trace]:
    """The trace without a feature: without the ops on pages that are gone with it, and with anonymous ones instead."""
    ops = tuple(op for op in map(plain_op, trace.ops) if op.name != "step") if name == "steps" else trace.ops
    trace = replace(trace, ops=tuple(op for op in ops if name not in OP_BY_NAME[op.name].needs))
    kinds = KINDS_OF_FEATURE.get(name, ())
    for candidate in (without_kinds(trace, kinds), _anonymous_instead(trace, kinds)):
        there = candidate and moved(candidate, candidate.world.without([name]))
        if there:
            yield there


def plain_sizes(r: Reducer) -> None:
    """Do without batches, the huge area and the file, with the same ops or with some fewer, on anonymous pages."""
    for name, plain in PLAIN_SIZES.items():
        if getattr(r.best.world, name) != plain:
            _to_plain_size(r, name)


def _to_plain_size(r: Reducer, name: str) -> bool:
    """Bring one size to what it is in a plain world; whether that was taken."""
    ops = r.ops
    shorter = [ops[:i] + ops[j:] for i, j in combinations(range(len(ops) + 1), 2) if j - i <= 2]
    for kept in (ops, *shorter):
        candidate = _in_plain_size(replace(r.best, ops=kept), name)
        if candidate and r.attempt(candidate):
            return True
    return False


def _in_plain_size(trace: Trace, name: str) -> Trace | None:
    there = _anonymous_instead(trace, KINDS_OF_SIZE.get(name, ()))
    sizes: dict[str, Any] = {name: PLAIN_SIZES[name]}
    return there and moved(there, replace(there.world, **sizes))


def pages_to_anonymous(r: Reducer) -> None:
    """Put an anonymous page of its own in the place of one page of the file or of the area, and lower their number."""
    for place in used_places(r.best):
        if place[0] not in ("anon", "area") and place in used_places(r.best):
            candidate = _with_anonymous(r.best, [place])
            fewer = candidate and _packed(candidate, "huge" if place[0] == "huge" else "file")
            if fewer:
                r.attempt(fewer)


def _anonymous_instead(trace: Trace, kinds: tuple[Kind, ...]) -> Trace | None:
    """The trace with an anonymous page of its own for each page of these kinds; None without room for them."""
    return _with_anonymous(trace, [place for place in used_places(trace) if place[0] in kinds])


def _with_anonymous(trace: Trace, places: list[Place]) -> Trace | None:
    """The trace with an anonymous page of its own for each of these places; None without room for them."""
    world = trace.world
    if world.total_pages + len(places) > MAX_VPN:
        return None
    anonymous: dict[Place, Place] = {place: ("anon", world.pages + i) for i, place in enumerate(places)}
    wider = replace(world, pages=world.pages + len(places))
    return moved(trace, wider, lambda place: anonymous.get(place, place))


def _packed(trace: Trace, size: str) -> Trace | None:
    """The trace with the file's pages, or those of the area, numbered without a gap, and no more of them."""
    indices = sorted({index for kind, index in used_places(trace) if kind in KINDS_OF_SIZE[size]})
    sizes: dict[str, Any] = {size: len(indices)}
    if getattr(trace.world, size) <= len(indices):
        return None

    def packed(place: Place) -> Place:
        return (place[0], indices.index(place[1])) if place[0] in KINDS_OF_SIZE[size] else place

    return moved(trace, replace(trace.world, **sizes), packed)


def steps_to_plain_ops(r: Reducer) -> None:
    """Turn races into ops that run through: all of them, then one begun path, one second thread at a time."""
    r.attempt_ops([plain_op(op) for op in r.ops if op.name != "step"])
    i = 0
    while i < len(r.ops):
        if is_stepped(r.ops[i]) and r.ops[i].name != "step":
            _to_plain_op(r, i)
        i += 1


def _to_plain_op(r: Reducer, i: int) -> None:
    """Run the path that begins at i through, there or at a later place; or let the first thread do it."""
    before, op, behind = r.ops[:i], r.ops[i], r.ops[i + 1 :]
    if op.begin:
        plain = replace(op, begin=False)
        steps = _steps_of(op, behind)
        others = [other for place, other in enumerate(behind) if place not in steps]
        for late in range(len(others) + 1):
            if r.attempt_ops(before, others[:late], [plain], others[late:]):
                return
        if r.attempt_ops(before, [plain], behind):
            return
    if op.thread:
        r.attempt_ops(before, [replace(op, thread=0)], _by_first_thread(op, behind))
        r.attempt_ops(before, [replace(op, thread=0)], behind)


def simpler_ops(r: Reducer) -> None:
    """Put a simpler op in an op's place: reclaim for memcg_reclaim, swapoff for swapoff_on."""
    for i in range(len(r.ops) - 1, -1, -1):
        for op in sorted(_variants(r.ops[i], r.best), key=op_rank):
            if op_rank(op) < op_rank(r.ops[i]) and _attempt_op(r, i, i + 1, op):
                break


def two_ops_to_one(r: Reducer) -> None:
    """Put one op in the place of two that follow each other: swapoff_on for swapoff and swapon."""
    i = 0
    while i + 1 < len(r.ops):
        candidates = {*_variants(r.ops[i], r.best), *_variants(r.ops[i + 1], r.best)}
        if not any(_attempt_op(r, i, i + 2, op) for op in sorted(candidates, key=op_rank)):
            i += 1


def runs_to_one_op(r: Reducer) -> None:
    """Put one op that names nothing in the place of a run of ops: reclaim for stores that fill the memory."""
    for size in range(len(r.ops), 2, -1):
        for start in range(len(r.ops) - size + 1):
            run = r.ops[start : start + size]
            if len(run) == size and any(_attempt_op(r, start, start + size, op) for op in _nameless(r.best)):
                break


def lower_arguments(r: Reducer) -> None:
    """Lower the arguments of single ops; tokens are not looked at here."""
    for i in range(len(r.ops)):
        for place, kind in enumerate(OP_BY_NAME[r.ops[i].name].args):
            for value in _values_below(kind, r.ops[i].args[place], r.best.world):
                args = (*r.ops[i].args[:place], value, *r.ops[i].args[place + 1 :])
                if r.attempt_ops(r.ops[:i], [replace(r.ops[i], args=args)], r.ops[i + 1 :]):
                    break


def merge_names(r: Reducer) -> None:
    """Let two pages, processes or cgroups be one."""
    kinds: tuple[ArgKind, ...] = ("process", "page", "memcg")
    for kind in kinds:
        for greater in sorted(used(r.ops, kind), reverse=True):
            for lesser in _values_below(kind, greater, r.best.world):
                if r.attempt(renamed(r.best, kind, {greater: lesser})):
                    break


def processes_to_pages(r: Reducer) -> None:
    """Do without fork: what the children did to their pages, the first process does to further pages."""
    world = r.best.world
    pages = world.pages * world.processes
    if not any(op.name == "fork" for op in r.ops) or pages + world.total_pages - world.pages > MAX_VPN:
        return
    wide = replace(world, pages=pages, mergeable=pages if world.mergeable else 0)
    ops = [_in_first_process(op, world, wide) for op in r.ops if op.name not in ("fork", "exit")]
    r.attempt(replace(r.best, ops=tuple(ops), world=wide))


def mergeable_from_the_start(r: Reducer) -> None:
    """Do without the ops that make pages mergeable or not: all pages are."""
    ops = tuple(op for op in r.ops if op.name not in ("mergeable", "unmergeable"))
    if len(ops) < len(r.ops):
        world = replace(r.best.world, mergeable=r.best.world.pages)
        r.attempt(replace(r.best, ops=ops, world=world))


def renumber(r: Reducer) -> None:
    """Number pages, processes, cgroups and tokens in the order of first use, all at once or two at a time."""
    _renumber_places(r)
    for kind in NAMED_SIZES.values():
        names = {value: place for place, value in enumerate(used(r.ops, kind))}
        r.attempt(renamed(r.best, kind, names))
        for lesser, greater in combinations(range(least_size(r.ops, kind)), 2):
            r.attempt(renamed(r.best, kind, {lesser: greater, greater: lesser}))
    r.attempt(renumber_tokens(r.best))
    for place in shared_stores(r.best):
        r.attempt(with_own_token(r.best, place))


def _renumber_places(r: Reducer) -> None:
    """Number the pages of each sort in the order of first use; a file's page has one number, however it is mapped."""
    for size, kinds in KINDS_OF_SIZE.items():
        first_use = dict.fromkeys(index for kind, index in used_places(r.best) if kind in kinds and kind != "area")
        _attempt_indices(r, kinds, {index: number for number, index in enumerate(first_use)})
        for lesser, greater in combinations(range(least_pages(r.best)[size]), 2):
            _attempt_indices(r, kinds, {lesser: greater, greater: lesser})


def _attempt_indices(r: Reducer, kinds: tuple[Kind, ...], indices: dict[int, int]) -> None:
    """Attempt other numbers for the pages of these kinds."""
    places: dict[Place, Place] = {
        (kind, before): (kind, after) for kind in kinds if kind != "area" for before, after in indices.items()
    }
    candidate = with_places(r.best, places)
    if candidate:
        r.attempt(candidate)


def lower_world(r: Reducer) -> None:
    """Lower the sizes of the world, each to the least that keeps the failure; take a disk for swap."""
    if r.best.world.swap != "disk":
        r.attempt(replace(r.best, world=replace(r.best.world, swap="disk")))
    for name, (least, _) in SIZES.items():
        if name in NAMED_SIZES:
            least = max(least, least_size(r.ops, NAMED_SIZES[name]))
        least = max(least, least_pages(r.best).get(name, 0))
        for value in range(least, getattr(r.best.world, name)):
            candidate = moved(r.best, _resized(r.best.world, name, value))
            if candidate and r.attempt(candidate):
                break


def sort_ops(r: Reducer) -> None:
    """Exchange neighbours, so that ops that may stand in any order stand in one."""
    i = 0
    while i + 1 < len(r.ops):
        swapped = r.attempt_ops(r.ops[:i], [r.ops[i + 1], r.ops[i]], r.ops[i + 2 :])
        i = max(0, i - 1) if swapped else i + 1


PASSES: tuple[Pass, ...] = (
    delete_ops,
    steps_to_plain_ops,
    delete_features,
    plain_sizes,
    pages_to_anonymous,
    processes_to_pages,
    mergeable_from_the_start,
    merge_names,
    renumber,
    lower_world,
    simpler_ops,
    lower_arguments,
    delete_pairs,
    two_ops_to_one,
    runs_to_one_op,
    sort_ops,
)


def plain_op(op: Op) -> Op:
    """The op run through by the first thread."""
    return replace(op, begin=False, thread=0) if op.begin or op.thread else op


def _pairs(r: Reducer) -> Iterator[tuple[int, int]]:
    return combinations(range(len(r.ops)), 2)


def _actor_of(op: Op) -> int | None:
    """Whose path the op begins."""
    runner = OP_BY_NAME[op.name].actor
    return op.args[0] * 2 + op.thread if runner == "thread" else KERNEL_ACTORS.get(runner)


def _steps_of(op: Op, behind: tuple[Op, ...]) -> set[int]:
    """The places behind a begun op that step its actor, up to the next op that begins one of the actor's
    paths.
    """
    actor = _actor_of(op)
    places = set()
    for place, other in enumerate(behind):
        if other.begin and _actor_of(other) == actor:
            break
        if other.name == "step" and other.args[0] == actor:
            places.add(place)
    return places


def _by_first_thread(op: Op, ops: tuple[Op, ...]) -> list[Op]:
    """The ops with those of the op's process that the second thread does done by the first."""
    second = op.args[0] * 2 + 1
    return [
        replace(other, args=(second - 1,)) if other.name == "step" and other.args[0] == second
        else replace(other, thread=0) if other.thread and other.args[0] == op.args[0]
        else other
        for other in ops
    ]  # fmt: skip


def _attempt_op(r: Reducer, start: int, end: int, op: Op) -> bool:
    """Attempt one op in the place of a run of ops."""
    ops = (*r.ops[:start], op, *r.ops[end:])
    return r.attempt(renumber_tokens(replace(r.best, ops=ops)))


def _nameless(trace: Trace) -> list[Op]:
    """The ops of the world that have no arguments, the simplest first."""
    specs = [spec for spec in OPS if not spec.args and spec.needs <= trace.world.features]
    return sorted((Op(spec.name) for spec in specs), key=op_rank)


def _variants(op: Op, trace: Trace) -> Iterator[Op]:
    """Every op that the world has, done to the page, process or cgroup that the op is done to.

    Of a begun op also every op that its actor can begin. A store that the op was not has a token of its own.
    """
    if op.name == "step":
        return
    world = trace.world
    runner = OP_BY_NAME[op.name].actor
    named = dict(zip(OP_BY_NAME[op.name].args, op.args, strict=True))
    named.setdefault("token", free_token(trace.ops) or FIRST_SHARED_TOKEN)
    for spec in OPS:
        if spec.needs <= world.features and spec.name != "step":
            args = tuple(named.get(kind, arg_range(kind, world)[0]) for kind in spec.args)
            if WHOLE_AREA in args and not spec.area:
                args = tuple(first_subpage(value, world) for value in args)
            yield Op(spec.name, args)
            if op.begin and spec.path and spec.actor == runner:
                yield Op(spec.name, args, op.thread, begin=True)


def _in_first_process(op: Op, world: World, wide: World) -> Op:
    """The op done by the first process, to a page that no other process's anonymous page becomes; other pages stay."""
    if op.name == "step" and op.args[0] < KSWAPD:
        return replace(op, args=(op.args[0] % 2,))
    args = dict(zip(OP_BY_NAME[op.name].args, op.args, strict=True))
    if "process" in args:
        process = args["process"]
        args["process"] = 0
        if "page" in args:
            kind, index = place_of(args["page"], world)
            number = page_at((kind, index + process * world.pages) if kind == "anon" else (kind, index), wide)
            assert number is not None, f"the wider world {wide} has every page"
            args["page"] = number
    return replace(op, args=tuple(args.values()))


def _values_below(kind: ArgKind, value: int, world: World) -> list[int]:
    if kind == "token":
        return []
    if kind == "actor":
        return sorted(actor for actor in actor_numbers(world.processes).values() if actor < value)
    least, greatest = arg_range(kind, world)
    return list(range(least, min(value, greatest + 1)))


def _resized(world: World, name: str, value: int) -> World:
    pages = value if name == "pages" else world.pages
    sizes: dict[str, Any] = {"mergeable": min(world.mergeable, pages), name: value}
    return replace(world, **sizes)
