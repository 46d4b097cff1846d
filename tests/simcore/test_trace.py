"""Traces: text, digest and words, and what the parser says of a text that is none."""

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import TraceError
from simcore.features import ALL_FEATURES
from simcore.ops import OPS, actor_numbers
from simcore.trace import Op, Trace, decode, encode, format_trace, parse_trace, read_trace
from simcore.trace_op import arg_range, signature
from simcore.world import World

SMALL = World(processes=1, pages=1, frames=4, slots=2, mergeable=0)
HEAD = f"mmfuzz trace 1\nkernel linux-4.5\nworld {SMALL}\n"


@st.composite
def ops(draw: st.DrawFn, world: World) -> Op:
    spec = draw(st.sampled_from([spec for spec in OPS if spec.needs <= world.features]))
    actors = st.sampled_from(sorted(actor_numbers(world.processes).values()))
    args = tuple(draw(actors if kind == "actor" else st.integers(*arg_range(kind, world))) for kind in spec.args)
    steps = "steps" in world.features
    thread = draw(st.integers(0, 1)) if steps and spec.actor == "thread" else 0
    return Op(spec.name, args, thread, steps and spec.path and draw(st.booleans()))


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    world = World(
        processes=draw(st.integers(1, 4)),
        pages=draw(st.integers(2, 24)),
        memcgs=draw(st.integers(1, 2)),
        features=ALL_FEATURES - draw(st.frozensets(st.sampled_from(sorted(ALL_FEATURES)), max_size=3)),
    )
    kernel = draw(st.sampled_from(["linux-4.5", "mine+patch~1", "my_patch.py:Mine"]))
    return Trace(kernel, world, tuple(draw(st.lists(ops(world), max_size=10))))


@given(traces())
def test_trace_survives_its_text(trace: Trace) -> None:
    assert parse_trace(format_trace(trace)) == trace


@given(traces())
def test_trace_survives_its_words(trace: Trace) -> None:
    words = encode(trace)
    assert words.itemsize == 4
    assert decode(words, trace.kernel, trace.world) == trace


@given(traces())
def test_trace_digest_ignores_comments_and_blanks(trace: Trace) -> None:
    text = "# mailed\r\n\r\n" + format_trace(trace).replace("\n", "\t # ünïcode \u2028 \x0c\r\n").replace(" ", "  ")
    assert parse_trace(text).digest == trace.digest


def test_trace_digest_covers_kernel_world_and_ops() -> None:
    trace = Trace("k", SMALL, (Op("reclaim"), Op("read", (0, 0))))
    others = [
        replace(trace, kernel="k2"),
        replace(trace, world=SMALL.without(["ksm"])),
        replace(trace, ops=trace.ops[:1]),
        replace(trace, ops=trace.ops[::-1]),
        replace(trace, ops=(Op("reclaim", begin=True), trace.ops[1])),
        replace(trace, ops=(Op("reclaim"), Op("read", (0, 0), thread=1))),
    ]
    assert len({trace.digest, *(other.digest for other in others)}) == 7


def test_trace_text_and_digest_never_change() -> None:
    trace = Trace(
        "linux-4.0-rc7-mm1+dirty-on-swapin",
        SMALL.without(["ksm", "memcg"]),
        (
            Op("write", (0, 0, 1)),
            Op("migrate", (0, 0)),
            Op("reclaim", begin=True),
            Op("step", (8,)),
            Op("read", (0, 0), thread=1, begin=True),
            Op("step", (1,)),
        ),
    )
    assert format_trace(trace) == (
        "mmfuzz trace 1\n"
        "kernel linux-4.0-rc7-mm1+dirty-on-swapin\n"
        "world processes=1 pages=1 frames=4 slots=2 memcgs=1 mergeable=0 swap=disk without=ksm,memcg\n"
        "write 0 0 1\n"
        "migrate 0 0\n"
        "begin reclaim\n"
        "step kswapd\n"
        "begin read 0 0 @1\n"
        "step P0@1\n"
    )
    assert trace.digest == "trc-f0cd63c3a14d6bb5"


def test_trace_words_are_laid_out_as_ops_says() -> None:
    ops = (Op("write", (3, 23, 250), thread=1, begin=True), Op("memcg_attach", (2, 1)), Op("step", (11,)))
    assert list(encode(Trace("k", World(), ops))) == [
        1 | 3 << 8 | 1 << 12 | 1 << 13 | 23 << 16 | 250 << 24,
        20 | 2 << 8 | 1 << 16,
        24 | 11 << 8,
    ]


def test_trace_of_the_first_thread_may_say_so() -> None:
    assert parse_trace(HEAD + "read 0 0 @0\n").ops == (Op("read", (0, 0)),)


def test_trace_kernel_and_world_come_in_either_order() -> None:
    text = f"mmfuzz trace 1\nworld {SMALL}\nkernel linux-4.5"
    assert parse_trace(text) == Trace("linux-4.5", SMALL)


WRONG_OPS = [
    ("raed 0 0", 1, "unknown op 'raed'; did you mean 'read'? There are: write, read, madv_free"),
    ("read 0", 1, "read with 1 argument; it is written `read PROCESS PAGE`"),
    ("read 0 0 0", 1, "read with 3 arguments; it is written `read PROCESS PAGE`"),
    ("reclaim x", 1, "reclaim with 1 argument; it is written `reclaim`"),
    ("read 1 0", 6, "process 1; in this world it can be 0 to 0"),
    ("read  0  1", 10, "page 1; in this world it can be 0 to 0"),
    ("write 0 0 0", 11, "token 0; in this world it can be 1 to 250"),
    ("write 0 0 251", 11, "token 251; in this world it can be 1 to 250"),
    ("memcg_limit 1 3", 13, "memcg 1; in this world it can be 0 to 0"),
    ("memcg_limit 0 32", 15, "count 32; in this world it can be 0 to 31"),
    ("read -1 0", 6, "'-1' cannot be a process; it is `read PROCESS PAGE`"),
    ("read 0 x", 8, "'x' cannot be a page; it is `read PROCESS PAGE`"),
    (f"read 0 {'9' * 5000}", 8, "cannot be a page"),
    ("step P1", 6, "unknown actor 'P1'; did you mean 'P0@1'? There are: P0, P0@1, kswapd, kcompactd"),
    ("step kswap", 6, "did you mean 'kswapd'"),
    ("step 0", 6, "unknown actor '0'"),
    ("step", 1, "step with 0 arguments; it is written `step ACTOR`"),
    ("read 0 0 @2", 10, "@2: a process has the threads @0 and @1"),
    ("read 0 0 @", 10, "thread '@'; a process has the threads @0 and @1"),
    ("read 0 0 @x", 10, "thread '@x'; a process has the threads @0 and @1"),
    ("reclaim @1", 9, "reclaim is not done by a thread of a process; leave @1 out"),
    ("begin madv_free 0 0", 1, "madv_free is done in one step and cannot be begun; what can: write, read"),
    ("begin", 1, "begin what?"),
    ("begin begin read 0 0", 7, "unknown op 'begin'"),
    ("  read 0 ö", 10, "the character U+00F6"),
    ("read\u00a00 0", 5, "the character U+00A0"),
    ("read 0 0\x00", 9, "the character U+0000"),
    ("mmfuzz trace 1", 1, "unknown op 'mmfuzz'"),
    ("kernel linux-4.0", 1, "a second kernel line; the trace is for linux-4.5"),
    ("world pages=2", 1, "a second world line; the trace has `world processes=1"),
]


@pytest.mark.parametrize(("line", "column", "message"), WRONG_OPS)
def test_trace_error_names_line_and_column_of_an_op(line: str, column: int, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse_trace(f"{HEAD}# why\n{line}  # because\nreclaim\n", source="mail.txt")
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"mail.txt:5:{column}: ")
    assert (caught.value.line, caught.value.column) == (5, column)


@pytest.mark.parametrize(
    ("feature", "line", "column", "message"),
    [
        ("ksm", "ksm_scan", 1, "ksm_scan needs the feature ksm, which the world is without"),
        ("steps", "begin reclaim", 1, "begin needs the feature steps"),
        ("steps", "read 0 0 @1", 10, "a second thread needs the feature steps"),
        ("steps", "step kswapd", 1, "step needs the feature steps"),
    ],
)
def test_trace_error_names_the_feature_an_op_needs(feature: str, line: str, column: int, message: str) -> None:
    text = HEAD.replace(str(SMALL), str(SMALL.without([feature]))) + line
    with pytest.raises(TraceError, match=re.escape(message)) as caught:
        parse_trace(text)
    assert (caught.value.line, caught.value.column) == (4, column)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the trace is empty; its first line is `mmfuzz trace 1`"),
        ("# only\n\n", 3, 1, "the trace is empty"),
        ("read 0 0\n", 1, 1, "not a trace: it starts with 'read 0 0' instead of `mmfuzz trace 1`"),
        ("mmfuzz trace\n", 1, 1, "not a trace"),
        ("mmfuzz trace 1 2\n", 1, 1, "not a trace"),
        ("mmfuzz trace one\n", 1, 1, "not a trace"),
        ("\n  mmfuzz trace 2\n", 2, 16, "trace version 2; this mmfuzz reads 1: use a newer mmfuzz"),
        ("mmfuzz trace 0\n", 1, 14, "trace version 0; this mmfuzz reads 1: there was no such version"),
        ("\ufeffmmfuzz trace 1\n", 1, 1, "the character U+FEFF"),
        ("mmfuzz trace 1\nkernel\n", 2, 1, "a kernel line is `kernel NAME`, a name without blanks"),
        ("mmfuzz trace 1\nkernel a b\n", 2, 1, "a name without blanks"),
        ("mmfuzz trace 1\nkernel a?b\n", 2, 8, "'a?b' cannot be a kernel's name"),
        ("mmfuzz trace 1\nkernel a\nread 0 0\n", 3, 1, "come before the first op"),
        ("mmfuzz trace 1\nkernel a\n", 3, 1, "the trace ends without its world line, such as `world proc"),
        ("mmfuzz trace 1\nworld pages=3", 2, 1, "the trace ends without its kernel line: `kernel NAME`"),
        ("mmfuzz trace 1\nworld frames=9  pages=99", 2, 17, "pages=99; it can be 1 to 24"),
        ("mmfuzz trace 1\nworld frames=9 pages=1", 2, 1, "mergeable=2, but each process has pages=1"),
        ("mmfuzz trace 1\nworld frames=9 frames=9", 2, 16, "frames is given twice"),
        ("mmfuzz trace 1\nworld frames", 2, 7, "'frames' is no field"),
        ("mmfuzz trace 1\nworld pages=3 without=kms", 2, 15, "unknown feature 'kms'; did you mean 'ksm'?"),
    ],
)
def test_trace_error_names_line_and_column_of_the_head(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse_trace(text)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_trace_error_cuts_what_it_quotes() -> None:
    with pytest.raises(TraceError) as caught:
        parse_trace("x" * 1_000_000)
    assert len(str(caught.value)) < 300


def test_trace_error_about_an_op_lists_every_op() -> None:
    with pytest.raises(TraceError) as caught:
        parse_trace(HEAD + "frobnicate")
    assert all(spec.name in str(caught.value) for spec in OPS)


def test_trace_signature_names_every_argument() -> None:
    assert {signature(spec) for spec in OPS} >= {"write PROCESS PAGE TOKEN", "memcg_attach PROCESS MEMCG"}


SNIPPETS = st.sampled_from(
    [
        "\n",
        " ",
        "#",
        "@",
        "@1",
        "begin ",
        "step ",
        "kswapd",
        "world ",
        "kernel ",
        "without=",
        "9",
        "-",
        "\r",
        "é",
    ]
)


@given(traces(), st.data())
def test_parser_raises_nothing_but_trace_errors(trace: Trace, data: st.DataObject) -> None:
    text = format_trace(trace)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(st.one_of(SNIPPETS, st.text(max_size=3))) + text[end:]
    parsed = None
    # Any other exception fails the test.
    with suppress(TraceError):
        parsed = parse_trace(text)
    assert parsed is None or parse_trace(format_trace(parsed)) == parsed


@given(st.lists(st.integers(0, 2**32 - 1), max_size=8))
def test_words_that_are_no_ops_raise_trace_errors(words: list[int]) -> None:
    trace = None
    with suppress(TraceError):
        trace = decode(words, "k", World())
    assert trace is None or list(encode(trace)) == words


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (0, "word 0x00000000: no op has the code 0; codes are 1 to"),
        (250, "no op has the code 250"),
        (13 | 1 << 16, "word 0x0001000d: it has bits that `reclaim` does not use"),
        (13 | 1 << 14, "it has bits that `reclaim` does not use"),
    ],
)
def test_word_that_is_no_op_is_named(word: int, message: str) -> None:
    with pytest.raises(TraceError, match=re.escape(message)):
        decode([word], "k", World())


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (Op("raed", (0, 0)), "unknown op 'raed'"),
        (Op("read", (0,)), "`read 0` has no word: it is written `read PROCESS PAGE`"),
        (Op("read", (16, 0)), "`read 16 0` has no word: 16 is outside 0 to 15"),
        (Op("read", (0, -1)), "-1 is outside 0 to 31"),
        (Op("read", (0, 0), thread=2), "with thread 0 or 1"),
    ],
)
def test_op_that_fits_in_no_word_is_an_error(op: Op, message: str) -> None:
    with pytest.raises(TraceError, match=re.escape(message)):
        encode(Trace("k", World(), (op,)))


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (
            Trace("k", SMALL, (Op("reclaim"), Op("read", (1, 0)))),
            "op 2, `read 1 0`: process 1; in this world",
        ),
        (
            Trace("k", SMALL, (Op("step", (7,)),)),
            "op 1, `step P3@1`: no actor has the number 7; there are: P0,",
        ),
        (Trace("k", SMALL, (Op("raed"),)), "op 1, `raed`: unknown op 'raed'"),
        (Trace("a k", SMALL), "'a k' cannot be a kernel's name"),
        (Trace("", SMALL), "'' cannot be a kernel's name"),
    ],
)
def test_trace_that_no_text_can_give_back_has_none(trace: Trace, message: str) -> None:
    with pytest.raises(TraceError, match=re.escape(message)):
        format_trace(trace)


def test_trace_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    path.write_text(HEAD)
    assert read_trace(path) == Trace("linux-4.5", SMALL)
    path.write_text(HEAD + "raed")
    with pytest.raises(TraceError, match=rf"^{re.escape(str(path))}:4:1: "):
        read_trace(path)


def test_trace_file_that_cannot_be_read_is_a_trace_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"mmfuzz trace 1\n\xff\xfe")
    for name, message in (("none", "No such file"), (".", "Is a directory"), ("binary", "not even text")):
        with pytest.raises(TraceError, match=message):
            read_trace(tmp_path / name)
