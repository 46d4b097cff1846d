"""Drawing one op: the random numbers, and the choices that know the machine's state.

An op that cannot do anything now (a step with nobody on a path, a fork with no process left) is not drawn. Which
sequences are drawn depends on the seed and the machine alone.
"""

import cython


def next_random(g: "EngineState") -> "u64":
    """The next number of the sequence's xorshift generator (Marsaglia 2003), 64 bits, never 0."""
    x = g.random
    if cython.compiled:
        x ^= x << 13
        x ^= x >> 7
        x ^= x << 17
    else:
        x ^= (x << 13) & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
        x ^= (x << 17) & 0xFFFFFFFFFFFFFFFF
    g.random = x
    return x


def seed_random(g: "EngineState", sequence: "i64") -> None:
    """Start the generator for a sequence from the unit's seed and the sequence's number."""
    start = mix(mix(mix(g.seed, 1), cython.cast(cython.int, sequence & 0x7FFFFFFF)), 7)
    g.random = start if start else 1
    for _ in range(4):
        next_random(g)


def below(bits: "u64", limit: int) -> int:
    """A number from 0 to limit - 1 from the lowest byte of random bits; limit is at most 256."""
    byte: int = cython.cast(cython.int, bits & 255)
    return byte * limit >> 8


def fill_op_table(g: "EngineState", features: int, s: "MmState") -> None:
    """Share the table's places among the ops by weight, leaving out those whose features are not in use."""
    total = 0
    for code in range(MAX_OPS):
        if not s.op_needs[code] & ~features:
            total += g.weights[code]
    place = 0
    share = 0
    for code in range(MAX_OPS):
        if s.op_needs[code] & ~features or g.weights[code] == 0:
            continue
        share += g.weights[code]
        end = share * OP_TABLE_SIZE // total
        while place < end:
            g.op_table[place] = code
            place += 1


def can_do(s: "MmState", code: int) -> bool:
    """Whether an op that depends on the machine's state can do anything now."""
    if code == OP_STEP:
        return s.nr_busy > 0
    if code == OP_FORK:
        return s.nr_mm < s.nr_mm_max
    if code == OP_IO_DONE or code == OP_IO_ERROR:
        return s.nr_writes > 0
    if code == OP_SWAPON:
        return s.swap_on == 0
    if code == OP_SWAPOFF or code == OP_SWAPOFF_ON:
        return s.swap_on != 0
    return True


def draw_code(g: "EngineState", s: "MmState") -> int:
    """An op code by weight; a read when eight draws gave nothing that can be done."""
    for _ in range(8):
        code = g.op_table[next_random(g) >> 8 & 255]
        if can_do(s, code):
            return code
    return OP_READ


def busy_actor(s: "MmState", start: int) -> int:
    """The first actor on a path, from a starting place on."""
    for i in range(DIRECT_RECLAIM):
        actor = (start + i) % DIRECT_RECLAIM
        if s.act_path[actor] != PATH_NONE:
            return actor
    return 0


def draw_token(g: "EngineState", s: "MmState", bits: "u64") -> int:
    """The token of a store: one of its own, or now and then one that other pages may hold too."""
    shared = s.features & FEATURE_KSM != 0 and bits & 255 < SHARED_TOKEN_CHANCE
    if shared or g.next_token > LAST_TOKEN:
        return FIRST_SHARED_TOKEN + below(bits >> 8, LAST_SHARED_TOKEN - FIRST_SHARED_TOKEN + 1)
    token = g.next_token
    g.next_token += 1
    if g.next_token == FIRST_SHARED_TOKEN:
        g.next_token = LAST_SHARED_TOKEN + 1
    return token


def draw_page(g: "EngineState", s: "MmState", bits: "u64") -> None:
    """Choose the process and page of an op: often those of the op before. Without a branch, which is half wrong."""
    other = bits & 255 >= SAME_PAGE_CHANCE
    g.last_first += (below(bits >> 8, s.nr_mm) - g.last_first) * other
    g.last_second += (below(bits >> 16, s.nr_vpn) - g.last_second) * other


def pack_op(code: int, first: int, second: int, token: int, thread: bool, begin: bool) -> "u32":
    """The trace word of an op; the layout is in simcore.ops."""
    word: u32 = cython.cast(cython.uint, token)
    return word << 24 | second << 16 | begin << 13 | thread << 12 | first << 8 | code


def draw_op(g: "EngineState", s: "MmState") -> "u32":
    """The next op of the sequence."""
    code = draw_code(g, s)
    bits = next_random(g)
    if code == OP_STEP:
        return pack_op(code, busy_actor(s, below(bits, DIRECT_RECLAIM)), 0, 0, False, False)
    if code == OP_MEMCG_LIMIT:
        return pack_op(code, below(bits, s.nr_memcgs), below(bits >> 8, s.nr_vpn * 2), 0, False, False)
    takes = g.takes[code]
    first = 0
    second = 0
    if takes & TAKES_PROCESS:
        draw_page(g, s, bits >> 40)
        first = g.last_first
        second = g.last_second if takes & TAKES_PAGE else 0
        if takes & TAKES_AREA and second >= s.nr_vpn - s.nr_huge and (bits & 255) < WHOLE_AREA_CHANCE:
            second = WHOLE_AREA
    if code == OP_MEMCG_RECLAIM:
        first = below(bits, s.nr_memcgs)
    if code == OP_MEMCG_ATTACH:
        second = below(bits, s.nr_memcgs)
    stepping = (s.features & FEATURE_STEPS) != 0
    # `&` instead of `and`: chances are what a processor cannot foresee, so there should be no branch on them.
    thread = stepping & (takes & TAKES_THREAD != 0) & ((bits >> 8 & 255) < SECOND_THREAD_CHANCE)
    begin = stepping & (takes & TAKES_PATH != 0) & ((bits >> 16 & 255) < BEGIN_CHANCE)
    token = draw_token(g, s, bits >> 24) if takes & TAKES_TOKEN else 0
    return pack_op(code, first, second, token, thread, begin)


if not cython.compiled:
    from fuzzer.engine_constants import (
        BEGIN_CHANCE,
        MAX_OPS,
        OP_TABLE_SIZE,
        SAME_PAGE_CHANCE,
        SECOND_THREAD_CHANCE,
        SHARED_TOKEN_CHANCE,
        TAKES_AREA,
        TAKES_PAGE,
        TAKES_PATH,
        TAKES_PROCESS,
        TAKES_THREAD,
        TAKES_TOKEN,
        WHOLE_AREA_CHANCE,
    )
    from fuzzer.engine_types import EngineState
    from simcore.bits import mix
    from simcore.constants import (
        DIRECT_RECLAIM,
        FEATURE_KSM,
        FEATURE_STEPS,
        FIRST_SHARED_TOKEN,
        LAST_SHARED_TOKEN,
        LAST_TOKEN,
        PATH_NONE,
        WHOLE_AREA,
    )
    from simcore.mm_types import MmState, i64, u32, u64
    from simcore.op_ids import (
        OP_FORK,
        OP_IO_DONE,
        OP_IO_ERROR,
        OP_MEMCG_ATTACH,
        OP_MEMCG_LIMIT,
        OP_MEMCG_RECLAIM,
        OP_READ,
        OP_STEP,
        OP_SWAPOFF,
        OP_SWAPOFF_ON,
        OP_SWAPON,
    )
