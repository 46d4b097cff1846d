"""The tree of tests mirrors the folders: whoever knows where code lies knows where its tests are."""

from collections.abc import Iterator
from pathlib import Path

# Folders of tests with no package of ours behind them.
ABOUT_THE_WHOLE = {"build", "chaos", "conformance", "golden", "services", "tidy"}


def folders_with_code(root: Path, package: str) -> Iterator[Path]:
    """The package and its subpackages, relative to the root; migrations are tested as one."""
    for init in sorted((root / package).rglob("__init__.py")):
        folder = init.parent.relative_to(root)
        if "migrations" not in folder.parts:
            yield folder


def test_every_folder_of_code_has_its_folder_of_tests(root: Path, packages: tuple[str, ...]) -> None:
    without = [
        f"{folder}/ has no tests/{folder}/test_*.py"
        for package in packages
        for folder in folders_with_code(root, package)
        if not list((root / "tests" / folder).glob("test_*.py"))
    ]
    assert not without, "\n".join(without)


def test_every_folder_of_tests_has_its_folder_of_code(root: Path) -> None:
    tests = root / "tests"
    without = [
        f"tests/{folder}/ holds tests of nothing"
        for folder in sorted({path.parent.relative_to(tests) for path in tests.rglob("test_*.py")})
        if folder.parts and folder.parts[0] not in ABOUT_THE_WHOLE and not (root / folder).is_dir()
    ]
    assert not without, "\n".join(without)
