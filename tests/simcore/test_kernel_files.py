"""Finding kernels: by name, in Python files, and as rows in JSON and TOML."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import KernelError, UnknownName
from simcore.kernel import Kernel, diff, with_rows
from simcore.kernel_files import (
    canary_kernels,
    find_kernel,
    kernel_from_json,
    kernel_names,
    shipped_kernels,
)
from simcore.rules import RULE_BY_NAME, RULES, TOTAL_ROWS

BASE = find_kernel("linux-4.5")
PATCH = """
from simcore.kernels.linux_4_5 import Linux45

class MyPatch(Linux45):
    '''What it is.'''
    def swapin_pte_dirty(write): return write
"""


def write(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)


def to_toml(value: dict[str, Any]) -> str:
    """The JSON form of a kernel as TOML, whose strings and lists are written alike."""
    lines = [f"{key} = {json.dumps(part)}" for key, part in value.items() if part is not None and key != "rules"]
    for rule, form in value["rules"].items():
        lines += [f"[rules.{rule}]", *(f"{key} = {json.dumps(part)}" for key, part in form.items())]
    return "\n".join(lines)


@pytest.mark.parametrize("kernel", [*shipped_kernels(), *canary_kernels()], ids=lambda kernel: kernel.name)
def test_find_kernel_by_name(kernel: Kernel) -> None:
    assert find_kernel(kernel.name) == kernel


def test_kernel_names_are_the_shipped_ones_each_after_its_parent() -> None:
    assert kernel_names()[:3] == ("linux-4.0-rc7-mm1", "linux-4.0-rc7-mm1+dirty-on-swapin", "linux-4.5")
    names = [kernel.name for kernel in (*shipped_kernels(), *canary_kernels())]
    assert len(set(names)) == len(names)
    for i, kernel in enumerate(shipped_kernels()):
        assert kernel.parent is None or kernel.parent in names[:i]


def test_find_kernel_names_what_there_is_for_an_unknown_one() -> None:
    with pytest.raises(UnknownName, match=r"unknown kernel 'linux-45'; did you mean 'linux-4.5'") as caught:
        find_kernel("linux-45")
    assert caught.value.existing == kernel_names()


@pytest.mark.parametrize("spec", ["", ":", "no/such/thing", "a:b", "\0", "x" * 10_000, ".", "linux-4.5:Linux45"])
def test_find_kernel_raises_its_own_errors_only(spec: str) -> None:
    with pytest.raises((UnknownName, KernelError)):
        find_kernel(spec)


@pytest.mark.parametrize("name", ["none.py", "none.py:Patch", "none.json", "none.toml"])
def test_find_kernel_says_that_a_file_does_not_exist(name: str, tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=r"there is no such file; by name there are: linux-4.0"):
        find_kernel(str(tmp_path / name))


def test_find_kernel_says_what_a_file_is_called(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=r"a kernel's file ends in \.py, \.json, \.toml"):
        find_kernel(write(tmp_path / "kernel.yaml", "name: x"))


def test_python_file_with_one_kernel_needs_no_class(tmp_path: Path) -> None:
    path = write(tmp_path / "my patch.py", PATCH)
    kernel = find_kernel(path)
    assert (kernel.name, kernel.parent, kernel.doc) == ("my-patch", "linux-4.5", "What it is.")
    assert {row.rule for row in diff(BASE, kernel)} == {"swapin_pte_dirty"}
    assert find_kernel(f"{path}:MyPatch") == kernel


def test_python_file_with_two_kernels_needs_a_class(tmp_path: Path) -> None:
    path = write(tmp_path / "two.py", PATCH + "class _Half(MyPatch): pass\nclass Other(_Half): pass\n")
    with pytest.raises(KernelError, match=f"2 kernel classes; choose one of: {path}:MyPatch, {path}:Other"):
        find_kernel(path)
    assert find_kernel(f"{path}:Other").parent == "half"
    assert find_kernel(f"{path}:_Half").parent == "my-patch"
    with pytest.raises(KernelError, match="unknown kernel class 'Othr'; did you mean 'Other'"):
        find_kernel(f"{path}:Othr")


def test_python_file_without_kernels_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "none.py", "from simcore.kernels.linux_4_5 import Linux45\nclass A: pass\n")
    with pytest.raises(KernelError, match="it defines no kernel; a kernel is a class derived from"):
        find_kernel(path)
    with pytest.raises(KernelError, match=r"unknown kernel class 'Linux45'. There are none"):
        find_kernel(f"{path}:Linux45")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import os\nx = (\n", 2, r"SyntaxError: '\(' was never closed"),
        ("\nraise ValueError('why')", 2, "ValueError: why"),
        ("def f(): return 1 / 0\n\nf()\n", 1, "ZeroDivisionError: division by zero"),
        ("from simcore.kernels.linux_4_5 import Linux46", 1, "ImportError: cannot import name 'Linux46'"),
        ("import json\n\njson.loads('{')", 3, "JSONDecodeError: Expecting property name"),
        ("import sys\nsys.exit(3)", 2, "SystemExit: 3"),
        (PATCH.replace("(write)", "(wriet)"), 6, "class MyPatch, rule swapin_pte_dirty: unknown bit 'wriet'"),
    ],
)
def test_python_file_error_names_file_and_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.py", text)
    with pytest.raises(KernelError, match=f"^{re.escape(path)}:{line}: {message}"):
        find_kernel(path)


def test_python_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_bytes(b"\xff\x00\n")
    with pytest.raises(KernelError, match=r"bad\.py"):
        find_kernel(str(tmp_path / "bad.py"))


def test_python_file_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    path = write(tmp_path / "patch.py", PATCH)
    first = find_kernel(path)
    write(tmp_path / "patch.py", PATCH.replace("return write", "return not write"))
    assert find_kernel(path).digest != first.digest
    assert [child.name for child in tmp_path.iterdir()] == ["patch.py"]
    assert set(sys.modules) == before


def test_file_may_not_take_the_name_of_a_shipped_kernel(tmp_path: Path) -> None:
    value = with_rows(BASE, {0: not BASE.rows[0]}, name=BASE.name).to_json()
    path = write(tmp_path / "k.json", json.dumps(value))
    with pytest.raises(KernelError, match=r"linux-4.5 is the name of a shipped kernel with other rows"):
        find_kernel(path)
    assert find_kernel(write(tmp_path / "k.json", json.dumps(BASE.to_json()))) == BASE


@given(st.sets(st.integers(0, TOTAL_ROWS - 1), max_size=20))
def test_kernel_survives_its_json(rows: set[int]) -> None:
    kernel = with_rows(BASE, {row: not BASE.rows[row] for row in rows})
    assert kernel_from_json(json.loads(json.dumps(kernel.to_json()))) == kernel


@pytest.mark.parametrize("kernel", [*shipped_kernels(), *canary_kernels()], ids=lambda kernel: kernel.name)
def test_kernel_survives_its_files(kernel: Kernel, tmp_path: Path) -> None:
    value = kernel.to_json()
    assert find_kernel(write(tmp_path / "k.json", json.dumps(value))) == kernel
    assert find_kernel(write(tmp_path / "k.toml", to_toml(value))) == kernel


def test_json_gives_tables_over_the_bits_that_matter() -> None:
    rules: Any = BASE.to_json()["rules"]
    assert list(rules) == [rule.name for rule in RULES]
    assert rules["swapin_pte_dirty"]["bits"] == ["write", "reuse"]
    assert rules["swapin_pte_dirty"]["rows"] == "0001"
    assert rules["fork_duplicates_slot"]["rows"] == "1"
    assert rules["fork_duplicates_slot"]["source"] == "copy_one_pte(): swap_duplicate()."


def test_json_of_all_rules_needs_no_parent_at_hand() -> None:
    kernel = with_rows(Kernel("somebodys", None, BASE.rows), {0: True}, name="mine")
    assert kernel_from_json(kernel.to_json()) == kernel


def test_json_may_give_only_the_rules_it_changes(tmp_path: Path) -> None:
    kernel = find_kernel(
        write(
            tmp_path / "mine.toml",
            """
            parent = "linux-4.5"
            doc = "A try."
            [rules.swapin_pte_dirty]
            bits = ["reuse", "write"]
            rows = "0010"
            source = "do_swap_page(): write && !reuse"
            [rules.unuse_keeps_soft_dirty]
            rows = "1"
            """,
        )
    )
    assert (kernel.name, kernel.parent, kernel.doc) == ("mine", "linux-4.5", "A try.")
    assert {row.rule for row in diff(BASE, kernel)} == {"swapin_pte_dirty", "unuse_keeps_soft_dirty"}
    assert kernel.table(RULE_BY_NAME["swapin_pte_dirty"])[:4] == bytes([0, 1, 0, 0])
    sources = dict(kernel.sources)
    assert sources["swapin_pte_dirty"] == "do_swap_page(): write && !reuse"
    assert "unuse_keeps_soft_dirty" not in sources
    assert sources["fork_duplicates_slot"] == dict(BASE.sources)["fork_duplicates_slot"]


SWAPIN = "swapin_pte_dirty"
WRONG_VALUES: list[tuple[object, str]] = [
    ([], "k: Expected `object`, got `array`; the fields are: format, name, parent, successor, doc, rules"),
    ({"nmae": "x"}, "k: Object contains unknown field `nmae`; the fields are: format, name, parent"),
    ({"name": 7}, "k: Expected `str | null`, got `int` - at `$.name`"),
    ({"name": "a b"}, "k: 'a b' cannot be a kernel's name"),
    (
        {"format": "mmfuzz kernel 2"},
        "k: its format is 'mmfuzz kernel 2'; this mmfuzz reads 'mmfuzz kernel 1'",
    ),
    ({"parent": "linux-4.6"}, "k: parent: unknown kernel 'linux-4.6'; did you mean 'linux-4.5'"),
    ({"parent": None}, "k: these rules are not given: anon_fault_pte_dirty, "),
    ({"rules": []}, "k: Expected `object`, got `array` - at `$.rules`"),
    (
        {"rules": {"swapin_pte_drity": {"rows": "1"}}},
        "k: unknown rule 'swapin_pte_drity'; did you mean 'swapin",
    ),
    (
        {"rules": {SWAPIN: "01"}},
        "k: rule swapin_pte_dirty: Expected `object`, got `str`; the fields are: rows,",
    ),
    ({"rules": {SWAPIN: {}}}, "k: rule swapin_pte_dirty: Object missing required field `rows`"),
    (
        {"rules": {SWAPIN: {"rows": "01", "bit": []}}},
        "rule swapin_pte_dirty: Object contains unknown field `bit`",
    ),
    (
        {"rules": {SWAPIN: {"rows": "01", "bits": ["wriet"]}}},
        "rule swapin_pte_dirty: unknown bit 'wriet'; did you",
    ),
    ({"rules": {SWAPIN: {"rows": "0101", "bits": ["write", "write"]}}}, "bit write is named twice"),
    (
        {"rules": {SWAPIN: {"rows": "010", "bits": ["write", "reuse"]}}},
        "rule swapin_pte_dirty: rows has 3 characters; over the bits write, reuse it has 4",
    ),
    ({"rules": {SWAPIN: {"rows": "01"}}}, "rows has 2 characters; over the bits write, reuse, page_dirty,"),
    ({"rules": {SWAPIN: {"rows": "", "bits": []}}}, "rows has 0 characters; over no bits it has 1"),
    ({"rules": {SWAPIN: {"rows": "0x", "bits": ["write"]}}}, "character 2 of rows is 'x'; it can be 0 or 1"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_VALUES)
def test_json_error_says_which_and_what_would_be_right(change: object, message: str) -> None:
    value: object = change
    if isinstance(change, dict):
        value = {"name": "k", "parent": "linux-4.5", "rules": {SWAPIN: {"rows": "1", "bits": []}}} | change
    with pytest.raises(KernelError) as caught:
        kernel_from_json(value, source="k")
    assert message in str(caught.value)


def test_json_without_a_name_needs_one() -> None:
    with pytest.raises(KernelError, match="the kernel has no name; give it one in `name`"):
        kernel_from_json({"parent": "linux-4.5"})


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("k.json", b"{", "k.json: not JSON: Input data was truncated"),
        ("k.json", b"[" * 100_000, "k.json: not JSON: "),
        ("k.json", b"\xff\xfe", "k.json: not JSON: "),
        ("k.toml", b"name = ", "k.toml: not TOML: "),
        ("k.toml", b"\xff\xfe", "k.toml: not TOML: "),
        ("k.toml", b"a = 1\na = 2", "k.toml: not TOML: "),
    ],
)
def test_file_of_rows_that_cannot_be_read_is_named(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(KernelError, match=re.escape(message)):
        find_kernel(str(tmp_path / name))
