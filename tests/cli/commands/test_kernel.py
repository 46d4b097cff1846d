"""`mmfuzz kernel`: the list, one's rules, and what differs."""

import json

from simcore.kernel_files import find_kernel, kernel_names
from tests.cli.conftest import BEFORE, REFUSED, Shell


def test_the_list_has_name_parent_and_digest(mmfuzz: Shell) -> None:
    listed = mmfuzz("kernel", "list", "--json").json
    assert [kernel["name"] for kernel in listed] == list(kernel_names())
    by_name = {kernel["name"]: kernel for kernel in listed}
    assert by_name[REFUSED]["parent"] == BEFORE
    assert by_name[REFUSED]["digest"] == find_kernel(REFUSED).digest
    text = mmfuzz("kernel", "list").out
    assert all(kernel["digest"] in text for kernel in listed)


def test_canaries_are_a_list_of_their_own(mmfuzz: Shell) -> None:
    assert "canary-sound" in {kernel["name"] for kernel in mmfuzz("kernel", "list", "--canaries", "--json").json}


def test_show_tells_each_rule_below_its_file_with_its_source(mmfuzz: Shell) -> None:
    out = mmfuzz("kernel", "show", REFUSED).out
    assert out.count("\nmm/memory.c\n") == 1
    assert "pte_mkdirty(mk_pte()) always" in out
    assert "= freeable=1 pte_dirty=0\n" in out


def test_show_json_is_a_kernels_file(mmfuzz: Shell) -> None:
    document = mmfuzz("kernel", "show", REFUSED, "--json").json
    assert document.pop("digest") == find_kernel(REFUSED).digest
    path = mmfuzz.folder / "mine.json"
    path.write_text(json.dumps(document | {"name": "mine"}))
    assert mmfuzz("kernel", "diff", REFUSED, path, "--json").json["rows"] == []


def test_one_rule_can_be_shown_and_an_unknown_one_is_told(mmfuzz: Shell) -> None:
    shown = mmfuzz("kernel", "show", REFUSED, "--rule", "swapin_pte_dirty", "--json").json
    assert list(shown["rules"]) == ["swapin_pte_dirty"]
    done = mmfuzz("kernel", "show", REFUSED, "--rule", "swapin_pte_drity")
    assert done.code == 3
    assert "did you mean 'swapin_pte_dirty' or" in done.err


def test_diff_is_with_the_parent_unless_told_and_names_rules_rows_and_sources(mmfuzz: Shell) -> None:
    done = mmfuzz("kernel", "diff", REFUSED)
    assert done.code == 0
    assert done.out.startswith(f"{BEFORE} -> {REFUSED}\n")
    assert "  - write=1 reuse=1\n" in done.out
    assert "  + always\n" in done.out
    rows = mmfuzz("kernel", "diff", BEFORE, REFUSED, "--json").json["rows"]
    assert {row["rule"] for row in rows} >= {"swapin_pte_dirty", "reclaim_freeable"}
    assert all(row["a"] != row["b"] for row in rows)


def test_a_kernel_without_a_parent_wants_another(mmfuzz: Shell) -> None:
    done = mmfuzz("kernel", "diff", BEFORE)
    assert done.code == 3
    assert "has no parent" in done.err
