"""What does not belong in the repository: paths of one machine, registries' hosts, built files, promises."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
BUILT = {".a", ".db", ".deb", ".gz", ".o", ".qcow2", ".so", ".sqlite", ".whl", ".xz", ".zst"}
LARGEST_KB = 512
# Measurements of real kernels, which tests compare with the simulator.
READINGS = Path("tests", "conformance", "readings")

UNWANTED = {
    "a path of one person's machine": r"(?<![\w.])/(?:home|root|Users)/\w|/\.pyenv/",
    "a package registry's host": (
        r"https?://(?:[\w-]+\.)*(?:pythonhosted|npmjs)\.\w+|https?://pypi\.\w+|https?://(?:deb|security)\.debian\.\w+"
    ),
    "work that is promised instead of done": r"\b(?:TODO|FIXME|XXX)\b",
}


def text_of(path: Path) -> str:
    """The file's text, or nothing for a file that has none."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_has(what: str, project_files: tuple[Path, ...], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()[:100]}"
        for path in project_files
        if path != HERE
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if re.search(UNWANTED[what], line)
    ]
    assert not found, f"{what}:\n" + "\n".join(found)


def test_no_built_or_large_file(project_files: tuple[Path, ...], root: Path) -> None:
    found = [
        str(path.relative_to(root))
        for path in project_files
        if (path.suffix in BUILT and path.relative_to(root).parent != READINGS)
        or path.stat().st_size > LARGEST_KB * 1024
    ]
    assert not found
