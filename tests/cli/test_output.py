"""Plain tables, numbers, and the lines of progress."""

import json

import pytest

from cli.output import Screen, plain_table, plural, to_json
from cli.progress import Figures, LineProgress, format_seconds, short_number


def test_plain_tables_cut_nothing() -> None:
    long = "x" * 300
    assert list(plain_table(("name", "ops"), [("a", "3"), (long, "12")], right=("ops",))) == [
        f"{'NAME':300}  OPS",
        f"{'a':300}    3",
        f"{long}   12",
    ]


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (950, "950"), (12_345, "12.3 k"), (999_900, "1000 k"), (4_560_000, "4.56 M")]
)
def test_short_numbers_have_three_digits(number: float, shown: str) -> None:
    assert short_number(number) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")])
def test_times_can_be_grasped(seconds: float, shown: str) -> None:
    assert format_seconds(seconds) == shown


def test_nouns_follow_their_numbers() -> None:
    assert [plural(1, "failure"), plural(2000, "failure")] == ["1 failure", "2,000 failures"]


def test_json_keeps_63_bits() -> None:
    assert json.loads(to_json({"seed": 2**63 - 1})) == {"seed": 2**63 - 1}


def test_progress_without_a_terminal_is_a_line_every_few_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    with LineProgress(Screen(as_json=True)) as progress:
        for second in range(8):
            progress.update(Figures(second, 1e6, 10, second * 1000, 3, 10, 1, share=second / 10))
    seen = capfd.readouterr()
    assert seen.out == ""
    assert [line.split()[0] for line in seen.err.splitlines()] == ["3", "6"]
    assert "3 of 10 rows, 1 failure, 4 s left" in seen.err
