"""Every op, rule, kernel and oracle has what the recipes in CONTRIBUTING.md ask for.

A failure names the recipe, the thing and the step that was forgotten.
"""

import re
from pathlib import Path

import pytest

from simcore.kernel_files import canary_kernels, kernel_names
from simcore.ops import OPS
from simcore.oracles import ORACLES, Oracle
from simcore.rules import RULES

REGISTRIES = {
    "op": [op.name for op in OPS],
    "rule": [rule.name for rule in RULES],
    "kernel": list(kernel_names()),
    "oracle": [oracle.name for oracle in ORACLES],
}
THINGS = [pytest.param(kind, name, id=f"{kind}-{name}") for kind, names in REGISTRIES.items() for name in names]


@pytest.fixture(scope="module")
def tested_words(root: Path) -> str:
    """All that is written in tests, golden traces included, except in the tidy tests themselves."""
    paths = [path for path in (root / "tests").rglob("*") if path.is_file() and "tidy" not in path.parts]
    texts = [path.read_text("utf-8") for path in paths if path.suffix in {".py", ".trace", ".json", ".toml", ".txt"}]
    return "\n".join([*texts, *(path.stem for path in paths)])


def has_word(text: str, name: str) -> bool:
    """Whether the name stands in the text by itself, with dashes or underscores."""
    either = re.sub("[-_]", "[-_]", name.replace(".", r"\.").replace("+", r"\+"))
    return re.search(rf"(?<![\w+]){either}(?![\w+])", text) is not None


@pytest.mark.parametrize(("kind", "name"), THINGS)
def test_has_its_entry_in_the_docs(kind: str, name: str, root: Path) -> None:
    page = root / "docs" / f"{kind}s.md"
    assert page.exists(), f"recipe 'a new {kind}': docs/{kind}s.md does not exist"
    entries = re.findall(r"`([^`\n]+)`", page.read_text("utf-8"))
    documented = any(entry == name or entry.startswith(f"{name} ") for entry in entries)
    assert documented, f"recipe 'a new {kind}': the docs step was forgotten: docs/{kind}s.md does not name `{name}`"


@pytest.mark.parametrize(("kind", "name"), THINGS)
def test_is_named_by_a_test(kind: str, name: str, tested_words: str) -> None:
    assert has_word(tested_words, name), (
        f"recipe 'a new {kind}': the test step was forgotten: no test and no golden trace names {name!r}"
    )


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_oracle_has_a_canary_of_its_own(oracle: Oracle) -> None:
    assert oracle.canary in {kernel.name for kernel in canary_kernels()}, (
        f"recipe 'a new oracle': the canary step was forgotten: {oracle.name} names the canary kernel"
        f" {oracle.canary!r}, which simcore/kernels/canaries.py does not have"
    )
    same = [each.name for each in ORACLES if each.canary == oracle.canary]
    assert same == [oracle.name], f"{oracle.canary!r} is the canary of {' and '.join(same)}"


def test_codes_and_names_are_unique() -> None:
    for kind, names in REGISTRIES.items():
        assert len(names) == len(set(names)), f"two {kind}s have one name"
    for registry in (OPS, ORACLES):
        codes = [entry.code for entry in registry]
        assert len(codes) == len(set(codes)), "two entries have one code"
