"""What the tidy tests look at."""

from pathlib import Path

import pytest

HOUSE = ("simcore", "fuzzer", "db", "guest", "workers", "web", "cli")


@pytest.fixture(scope="session")
def sources(project_files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The Python files of packages, tests and build."""
    return tuple(path for path in project_files if path.suffix == ".py")


@pytest.fixture(scope="session")
def packages(root: Path) -> tuple[str, ...]:
    """The folders of the house that exist so far."""
    return tuple(name for name in HOUSE if (root / name).is_dir())
