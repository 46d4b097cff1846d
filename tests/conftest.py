"""What all tests may ask for: where the checkout is and what belongs to it."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from simcore.core import is_compiled

# Speed is measured by the benchmarks; here the machine may be busy, or every access checked by a sanitizer.
settings.register_profile("mmfuzz", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mmfuzz")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much the tests of faults do."""
    parser.addoption("--faults", type=int, default=12, metavar="N", help="Faults that tests/chaos does to a service.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is about the compiled core where there is none: tests so marked, and the compiled half of pairs."""
    if is_compiled():
        return
    for item in items:
        if item.get_closest_marker("needs_compiled"):
            item.add_marker(pytest.mark.skip(reason="the compiled core is not built"))


@pytest.fixture(
    params=[pytest.param(True, id="compiled", marks=pytest.mark.needs_compiled), pytest.param(False, id="uncompiled")]
)
def compiled(request: pytest.FixtureRequest) -> bool:
    """Once for the compiled core, once for the plain modules."""
    return bool(request.param)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def project_files() -> tuple[Path, ...]:
    """Every file that git tracks or would add; in an unpacked source distribution, every file of it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith((".venv", "build/", "dist/"))]
    else:
        names = listed.stdout.split("\0")
    return tuple(path for name in sorted(set(names)) if name and (path := ROOT / name).is_file())
