"""The text of a reproducer."""

import re
from dataclasses import replace

import pytest

from fuzzer.reproducer import Story, make_source
from fuzzer.reproducer.source import subpages
from simcore.trace import Op, format_trace
from tests.fuzzer.reproducer.drawing import WORLD, draw_traces, trace_of

PLAIN = replace(WORLD, file=0, huge=0, batch=1)
STORY = Story("fail-0123456789", "P0 page 0 reads zeros", "safety", ("cause: one row", "    rule(a=1): 1 here"))


def test_the_head_says_all_that_a_stranger_needs() -> None:
    trace = trace_of(Op("write", (0, 0, 1)), Op("reclaim"))
    head = make_source(trace, STORY).partition("*/")[0]
    for line in [STORY.source, STORY.lost, *STORY.cause, *format_trace(trace).splitlines()[1:]]:
        assert line in head
    for words in [
        "gcc -O2 -Wall",
        "needs root",
        "CONFIG_MEMCG",
        "swap",
        "0  every value",
        "1  a value",
        "2  it could not",
    ]:
        assert words in head


def test_nothing_that_was_told_ends_the_comment() -> None:
    story = Story("x */ int main; /* \u00e9 \x00", "a */ b", "safety", ("c */ d\ne",))
    head, _, rest = make_source(trace_of(), story).partition("*/")
    assert rest.lstrip().startswith("#define _GNU_SOURCE")
    assert head.count("/*") == 1
    assert make_source(trace_of(), story).isascii()


@pytest.mark.parametrize(("cls", "code"), [("safety", "2"), ("cost", "2"), ("liveness", "1")])
def test_a_round_that_does_not_end_is_the_failure_only_where_it_was_one(cls: str, code: str) -> None:
    source = make_source(trace_of(Op("read", (0, 0))), replace(STORY, cls=cls))
    assert f"its_signal == SIGALRM ? {code} : 2" in source


def test_what_values_do_not_show_is_said() -> None:
    assert "do not show" in make_source(trace_of(), replace(STORY, cls="cost"))
    assert "do not show" not in make_source(trace_of(), STORY)


def test_the_trace_is_one_line_an_op_with_its_text() -> None:
    ops = [Op("write", (0, 0, 1)), Op("madv_free", (0, 0)), Op("write", (1, 0, 1))]
    body = make_source(trace_of(*ops), STORY).partition("static void trace(void)\n{\n")[2].partition("}")[0]
    assert [" ".join(line.split()) for line in body.splitlines()] == [
        'op(1, "write 0 0 1"); store(P0, 0, 1);',
        'op(2, "madv_free 0 0"); madv_free(P0, 0);',
        'op(3, "write 1 0 1"); /* there is no P1 */',
    ]


def test_the_file_has_only_what_its_trace_needs() -> None:
    plain = make_source(trace_of(Op("write", (0, 0, 1)), world=PLAIN), STORY)
    for words in ["swapon", "cgroup", "ksm", "memfd", "hugepage", "move_pages", "iovec here", "settings[]"]:
        assert words not in plain.replace("sys/swap.h", "")
    assert plain.count("\n") < 500


def test_pages_wait_in_batches_only_where_the_simulated_ones_did() -> None:
    at_once = make_source(trace_of(Op("reclaim"), world=PLAIN), STORY)
    batched = make_source(trace_of(Op("reclaim")), STORY)
    assert "round_number % 2" not in at_once
    assert "round_number % 2" in batched


def test_the_same_trace_gives_the_same_file_and_no_mark_is_left_in_any() -> None:
    for trace in draw_traces(11, 40):
        source = make_source(trace, STORY)
        assert source == make_source(trace, STORY)
        assert not re.search(r"@[A-Z_]+@|/\*\?", source)
        assert max(map(len, source.splitlines())) < 240


@pytest.mark.parametrize(
    ("count", "pages"),
    [
        (1, (0,)),
        (3, (0, 1, 2)),
        (5, (0, 1, 2, 3, 511)),
        (6, (0, 1, 2, 3, 256, 511)),
        (8, (0, 1, 2, 3, 128, 256, 384, 511)),
    ],
)
def test_subpages_are_neighbours_and_then_far_from_each_other(count: int, pages: tuple[int, ...]) -> None:
    assert subpages(count) == pages
