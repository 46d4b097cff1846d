"""A folder imports only what its line in ARCHITECTURE.md names, and only the edges look at the outside."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# What each folder may import of ours, besides itself.
MAY_IMPORT = {
    "simcore": set(),
    "fuzzer": {"simcore"},
    "db": {"simcore"},
    "guest": {"simcore"},
    "workers": {"simcore", "fuzzer", "db", "guest"},
    "web": {"simcore", "fuzzer", "db"},
    "cli": {"simcore", "fuzzer", "db", "guest", "workers", "web"},
}
# Where results must follow from what is passed in: no clock, no randomness but the seed's.
PURE = {"simcore", "fuzzer"}
UNPREDICTABLE = {"random", "secrets", "time", "uuid"}
READS_ENVIRONMENT = {"cli", "workers"}


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of everything a source or header imports, wherever in the file it does."""
    text = path.read_text("utf-8")
    if path.suffix == ".pxd":
        for match in re.finditer(r"^\s*(?:from|cimport)\s+([\w.]+)", text, re.MULTILINE):
            yield text.count("\n", 0, match.start()) + 1, match[1]
        return
    for node in ast.walk(ast.parse(text, str(path))):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
                yield node.lineno, module


def test_folders_import_only_what_they_may(root: Path, packages: tuple[str, ...]) -> None:
    wrong = [
        f"{path.relative_to(root)}:{line}: {package}/ may not import {module}"
        for package in packages
        for path in (*(root / package).rglob("*.py"), *(root / package).rglob("*.pxd"))
        for line, module in imported_modules(path)
        if (top := module.split(".")[0]) in MAY_IMPORT and top != package and top not in MAY_IMPORT[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_folders_have_no_clock_and_no_randomness_of_their_own(root: Path) -> None:
    wrong = [
        f"{path.relative_to(root)}:{line}: {package}/ imports {module}; pass the value in"
        for package in sorted(PURE)
        for path in (root / package).rglob("*.py")
        for line, module in imported_modules(path)
        if module.split(".")[0] in UNPREDICTABLE
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_edges_read_the_environment(root: Path, packages: tuple[str, ...]) -> None:
    wrong = [
        f"{path.relative_to(root)}:{node.lineno}: reads the environment; only cli/ and workers/ do"
        for package in set(packages) - READS_ENVIRONMENT
        for path in (root / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert not wrong, "\n".join(wrong)
