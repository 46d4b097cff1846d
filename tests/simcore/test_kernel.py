"""Kernels: what a class becomes, what it may not be, and what two kernels differ in."""

import re
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import KernelError
from simcore.kernel import Kernel, KernelBase, compile_kernel, diff, diff_by_rule, with_rows
from simcore.kernels.linux_4_0_rc7_mm1 import Linux40Rc7Mm1, MakeEveryPteDirty
from simcore.kernels.linux_4_5 import Linux45
from simcore.rules import RULE_BY_NAME, RULES, TOTAL_ROWS, offset, row_bits

BASE = compile_kernel(Linux45)
SWAPIN = RULE_BY_NAME["swapin_pte_dirty"]


def make_class(body: str, head: str = "class Patch(Linux45)") -> type[KernelBase]:
    """The last class of a piece of code that may use the shipped kernels."""
    names: dict[str, Any] = {"Linux40Rc7Mm1": Linux40Rc7Mm1, "Linux45": Linux45, "KernelBase": KernelBase}
    code = f"{head}:\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    exec(compile(code, "my_patch.py", "exec"), names)
    made: type[KernelBase] = list(names.values())[-1]
    return made


def make(body: str, head: str = "class Patch(Linux45)") -> Kernel:
    return compile_kernel(make_class(body, head))


def table(kernel: Kernel, rule: str) -> dict[tuple[bool, ...], bool]:
    """A rule's values by the values of its bits."""
    rows = kernel.table(RULE_BY_NAME[rule])
    return {tuple(row_bits(RULE_BY_NAME[rule], i).values()): bool(value) for i, value in enumerate(rows)}


def test_kernel_rule_is_evaluated_over_all_its_bits() -> None:
    kernel = make("def fork_write_protects(swapcache): return swapcache")
    # pte_dirty, swapcache
    assert table(kernel, "fork_write_protects") == {
        (False, False): False,
        (True, False): False,
        (False, True): True,
        (True, True): True,
    }


def test_kernel_rule_takes_bits_in_any_order() -> None:
    one = make("def fork_write_protects(pte_dirty, swapcache): return pte_dirty and not swapcache")
    other = make("def fork_write_protects(swapcache, *, pte_dirty): return pte_dirty and not swapcache")
    assert one.digest == other.digest
    assert table(one, "fork_write_protects")[True, False]


def test_kernel_rule_may_be_a_static_method_or_a_switch() -> None:
    kernel = make("@staticmethod\ndef fork_duplicates_slot(): return False")
    assert kernel.table(RULE_BY_NAME["fork_duplicates_slot"]) == b"\0"


def test_kernel_changes_only_the_rules_its_class_defines() -> None:
    kernel = make("def swapin_pte_dirty(): return True")
    assert {row.rule for row in diff(BASE, kernel)} == {"swapin_pte_dirty"}
    assert kernel.table(SWAPIN) == b"\1" * SWAPIN.row_count


def test_kernel_inherits_by_the_mro() -> None:
    code = """
class Mixin:
    def swapin_pte_dirty(): return True
    def unuse_pte_dirty(): return True
class Middle(Linux45):
    def unuse_pte_dirty(): return False
class Patch(Mixin, Middle):
    pass
"""
    kernel = make("pass", f"{code}\nclass Last(Patch)")
    assert set(kernel.table(SWAPIN)) == {1}
    assert set(kernel.table(RULE_BY_NAME["unuse_pte_dirty"])) == {1}
    assert kernel.parent == "patch"


def test_kernel_parent_is_the_nearest_kernel() -> None:
    assert compile_kernel(Linux40Rc7Mm1).parent is None
    assert compile_kernel(MakeEveryPteDirty).parent == "linux-4.0-rc7-mm1"
    assert make("pass").parent == "linux-4.5"
    assert make("pass", "class Mixin: pass\nclass Patch(Mixin, Linux45)").parent == "linux-4.5"


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("MakeEveryPteDirty", "make-every-pte-dirty"),
        ("KSMDirty", "ksm-dirty"),
        ("Linux40Rc7", "linux40-rc7"),
        ("patch", "patch"),
        ("_My_Patch", "my-patch"),
    ],
)
def test_kernel_is_named_after_its_class(class_name: str, name: str) -> None:
    assert make("pass", f"class {class_name}(Linux45)").name == name


def test_kernel_name_and_successor_are_not_inherited() -> None:
    kernel = make("pass", "class Named(Linux45):\n    name = 'a'\n    successor = 'b'\nclass Patch(Named)")
    assert (kernel.name, kernel.parent, kernel.successor) == ("patch", "a", None)
    assert make("name = 'mine+1'\nsuccessor = 'linux-4.5'").successor == "linux-4.5"


def test_kernel_sources_are_docstrings_of_function_then_class() -> None:
    kernel = make(
        """
        '''My patch,

        of today.
        '''
        def swapin_pte_dirty():
            '''do_swap_page(): always.'''
            return True
        def unuse_pte_dirty(): return True
        """
    )
    sources = dict(kernel.sources)
    assert kernel.doc == "My patch,\n\nof today."
    assert [rule for rule, _ in kernel.sources] == [rule.name for rule in RULES]
    assert sources["swapin_pte_dirty"] == "do_swap_page(): always."
    assert sources["unuse_pte_dirty"] == kernel.doc
    assert sources["fork_duplicates_slot"] == "copy_one_pte(): swap_duplicate()."
    undocumented = dict(make("def unuse_pte_dirty(): return True").sources)
    assert undocumented["unuse_pte_dirty"] == "Patch"


PATCH = r"my_patch.py:\d+: class Patch"
MISTAKES = [
    (
        "def swapin_pte_drity(write): return write",
        PATCH + ": unknown rule 'swapin_pte_drity'; did you mean 'swapin_pte_dirty'.* There are: anon_fault",
    ),
    (
        "sucessor = 'x'",
        "class Patch: unknown rule 'sucessor'.*A name that is no rule starts with an underscore",
    ),
    (
        "def swapin_pte_dirty(wriet): return wriet",
        PATCH + ", rule swapin_pte_dirty: unknown bit 'wriet'; did you mean 'write'.* There are: write, reuse,",
    ),
    ("def unuse_keeps_soft_dirty(write): return write", "unknown bit 'write'. There are none"),
    ("def swapin_pte_dirty(self, write): return write", "a rule has no self; unknown bit 'self'"),
    ("def swapin_pte_dirty(write=True): return write", "bit write has a default.*; drop it"),
    ("def swapin_pte_dirty(*bits): return True", r"argument \*bits is not plain; a rule takes its bits by"),
    ("def swapin_pte_dirty(**bits): return True", r"argument \*\*bits is not plain"),
    ("def swapin_pte_dirty(write, /): return True", "argument write is not plain"),
    (
        "def swapin_pte_dirty(write, reuse): return 1 if reuse else True",
        PATCH + r", swapin_pte_dirty\(write=0, reuse=1\) returned '1', of type int; a rule returns True or",
    ),
    ("def swapin_pte_dirty(write): pass", r"swapin_pte_dirty\(write=0\) returned 'None', of type NoneType"),
    (
        "def swapin_pte_dirty(write): return write or 1 / 0",
        PATCH + r", swapin_pte_dirty\(write=0\) raised ZeroDivisionError: division by zero",
    ),
    ("def swapin_pte_dirty(): return anon", r"swapin_pte_dirty\(\) raised NameError: name 'anon' is not"),
    (
        "swapin_pte_dirty = True",
        r"class Patch, rule swapin_pte_dirty: it is 'True', not a function; write `def swapin_pte_dirty\(w",
    ),
    ("name = 'my patch'", "class Patch: 'my patch' cannot be a kernel's name; .*set `name` in the class"),
    ("name = '-x'", "'-x' cannot be a kernel's name"),
    ("name = 7", "'7' cannot be a kernel's name"),
    ("successor = 7", "class Patch, successor: '7' cannot be a kernel's name"),
]


@pytest.mark.parametrize(("body", "message"), MISTAKES)
def test_kernel_mistake_is_named_with_what_exists(body: str, message: str) -> None:
    with pytest.raises(KernelError, match=message):
        make(body)


def test_kernel_mistake_in_a_base_class_is_named_too() -> None:
    with pytest.raises(KernelError, match=r"class Mixin: unknown rule 'swapin_dirty'"):
        make("pass", "class Mixin:\n    def swapin_dirty(): return True\nclass Patch(Mixin, Linux45)")


def test_kernel_class_name_of_other_letters_needs_a_name() -> None:
    with pytest.raises(KernelError, match=r"'ďuriš' cannot be a kernel's name.*set `name`"):
        make("pass", "class Ďuriš(Linux45)")


def test_kernel_from_nothing_must_define_every_rule() -> None:
    with pytest.raises(KernelError) as caught:
        make("def swapin_pte_dirty(): return True", "class Patch(KernelBase)")
    listed = str(caught.value).partition("these rules: ")[2].partition(";")[0].split(", ")
    assert listed == [rule.name for rule in RULES if rule.name != "swapin_pte_dirty"]


def test_kernel_table_has_a_byte_for_every_row() -> None:
    assert len(BASE.rows) == TOTAL_ROWS
    assert b"".join(map(BASE.table, RULES)) == BASE.rows


@pytest.mark.parametrize("rows", [b"", b"\0" * (TOTAL_ROWS - 1), b"\2" * TOTAL_ROWS, b"0" * TOTAL_ROWS])
def test_kernel_refuses_a_wrong_table(rows: bytes) -> None:
    with pytest.raises(KernelError, match=f"kernel k: its table must be {TOTAL_ROWS} bytes of 0 and 1"):
        Kernel("k", None, rows)


def test_kernel_digest_covers_rows_only() -> None:
    same = Kernel("other", None, BASE.rows, "doc", (("swapin_pte_dirty", "source"),), "next")
    assert same.digest == BASE.digest
    assert re.fullmatch("krn-[0-9a-f]{16}", BASE.digest)
    flipped = {with_rows(BASE, {row: not BASE.rows[row]}).digest for row in range(TOTAL_ROWS)}
    assert len(flipped | {BASE.digest}) == TOTAL_ROWS + 1


def test_kernel_with_rows_has_these_rows() -> None:
    row = offset(SWAPIN) + 5
    kernel = with_rows(BASE, {row: True, 0: bool(BASE.rows[0])})
    assert [found.flat_row for found in diff(BASE, kernel)] == [row]
    assert kernel.parent == BASE.name
    assert kernel.name == f"{BASE.name}~{kernel.digest[4:12]}"
    sources = dict(kernel.sources)
    assert sources["swapin_pte_dirty"] == "linux-4.5, with rows changed"
    assert sources["unuse_pte_dirty"] == dict(BASE.sources)["unuse_pte_dirty"]
    assert with_rows(kernel, {row: False}, name="back").rows == BASE.rows


@pytest.mark.parametrize("row", [-1, TOTAL_ROWS])
def test_kernel_with_rows_refuses_a_row_that_is_none(row: int) -> None:
    with pytest.raises(KernelError, match=f"there is no row {row}; rows are 0 to {TOTAL_ROWS - 1}"):
        with_rows(BASE, {row: True})


def test_diff_of_a_kernel_with_itself_is_empty() -> None:
    assert diff(BASE, BASE) == ()
    assert diff_by_rule(BASE, BASE) == ()


def test_diff_names_rule_bits_and_both_values() -> None:
    kernel = make("def fork_write_protects(pte_dirty): return pte_dirty")
    assert [str(row) for row in diff(BASE, kernel)] == [
        "fork_write_protects(pte_dirty=0, swapcache=0): 1 -> 0",
        "fork_write_protects(pte_dirty=0, swapcache=1): 1 -> 0",
    ]


def test_diff_by_rule_drops_bits_that_do_not_matter() -> None:
    base, patched = compile_kernel(Linux40Rc7Mm1), compile_kernel(MakeEveryPteDirty)
    assert [str(found) for found in diff_by_rule(base, patched)] == [
        "swapin_pte_dirty write=0: 0 -> 1",
        "swapin_pte_dirty reuse=0: 0 -> 1",
        "madv_free_clears_page_dirty swapcache=1: 1 -> 0",
        "reclaim_freeable anon=1 pte_dirty=0 page_dirty=1 swapcache=0: 0 -> 1",
        "unmap_discards freeable=1 pte_dirty=0 page_dirty=1: 0 -> 1",
    ]


def test_diff_by_rule_of_a_switch_is_always() -> None:
    kernel = make("def fork_duplicates_slot(): return False")
    assert [str(found) for found in diff_by_rule(BASE, kernel)] == ["fork_duplicates_slot always: 1 -> 0"]


@given(st.sets(st.integers(0, TOTAL_ROWS - 1), max_size=40))
def test_diff_by_rule_covers_the_differing_rows_and_no_others(rows: set[int]) -> None:
    kernel = with_rows(BASE, {row: not BASE.rows[row] for row in rows})
    covered = set()
    for found in diff_by_rule(BASE, kernel):
        rule = RULE_BY_NAME[found.rule]
        of_term = {(offset(rule) + row, found.a) for row in range(rule.row_count) if found.term.covers(row)}
        assert found.rows == len(of_term)
        covered |= of_term
    assert covered == {(row, bool(BASE.rows[row])) for row in rows}
    assert {row.flat_row for row in diff(BASE, kernel)} == rows
