"""`mmfuzz trace`: mistakes in its text, its canonical form, and one execution."""

from pathlib import Path

import pytest

from simcore.trace import format_trace, parse_trace
from tests.cli.conftest import LOST_STORE, REFUSED, Shell


def test_a_right_trace_is_told_with_its_digest(mmfuzz: Shell, trace_file: Path) -> None:
    done = mmfuzz("trace", "check", trace_file)
    assert done.code == 0
    assert parse_trace(LOST_STORE).digest in done.out
    assert mmfuzz("trace", "check", "-", "--json", stdin=LOST_STORE).json["ops"] == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("migrate 0 0", "migrat 0 0", "6:1: unknown op 'migrat'; did you mean 'migrate'?"),
        ("migrate 0 0", "migrate 0 7", "6:11: page 7; in this world it can be 0 to 1"),
        ("write 0 0 1", "write 0 0", "5:1: write with 2 arguments; it is written `write PROCESS PAGE TOKEN`"),
        ("reclaim", "ksm_scan", None),
        ("pages=2", "pages=99", "3:19: pages=99; it can be 1 to 24"),
        ("swap=disk", "swap=disk without=kms", "unknown feature 'kms'; did you mean 'ksm'?"),
        ("mmfuzz trace 1", "mmfuzz trace 2", "1:14: trace version 2"),
        ("mmfuzz trace 1", "hello", "1:1: not a trace"),
        (f"kernel {REFUSED}\n", "", "the kernel line and the world line come before the first op"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(
    mmfuzz: Shell, trace_file: Path, old: str, new: str, said: str | None
) -> None:
    trace_file.write_text(LOST_STORE.replace(old, new))
    done = mmfuzz("trace", "check", trace_file)
    if said is None:
        assert done.code == 0
        return
    assert (done.code, done.out) == (3, "")
    assert said in done.err
    assert done.err.startswith(f"mmfuzz: {trace_file}:")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"mmfuzz trace 1\n\x00\n"])
def test_what_is_no_text_or_empty_is_told(mmfuzz: Shell, content: bytes) -> None:
    done = mmfuzz("trace", "check", "-", stdin=content)
    assert done.code == 3
    assert done.err.startswith("mmfuzz: <stdin>")


def test_show_prints_a_trace_that_reads_back(mmfuzz: Shell, trace_file: Path) -> None:
    done = mmfuzz("trace", "show", trace_file)
    assert format_trace(parse_trace(done.out)) == format_trace(parse_trace(LOST_STORE))
    assert "# The process stores token T to page p." in done.out


def test_run_says_what_every_op_did_and_every_oracle_saw(mmfuzz: Shell, trace_file: Path) -> None:
    done = mmfuzz("trace", "run", trace_file)
    assert done.code == 1
    assert "write 0 0 1  # ok" in done.out
    assert f"FAIL on {REFUSED}" in done.out
    document = mmfuzz("trace", "run", trace_file, "--kernel", "linux-4.5", "--no-checks", "--json")
    assert document.code == 0
    assert (document.json["verdict"], len(document.json["results"])) == ("PASS", 5)
