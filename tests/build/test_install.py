"""Building and installing: with a compiler, without one, and as asked."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

NO_COMPILER = {"CC": "/bin/false"}
SAYS_UNCOMPILED = "the simulator will run uncompiled"
IS_COMPILED = "from simcore.core import is_compiled, new_machine; new_machine(); print(is_compiled())"

needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def copy(tmp_path: Path, root: Path, project_files: tuple[Path, ...]) -> Path:
    """A copy of the project as it would be cloned, so that a build leaves the checkout alone."""
    for path in project_files:
        target = tmp_path / "copy" / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return tmp_path / "copy"


def pip(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pip without an index; what it and the build print is in `stdout`."""
    command = [sys.executable, "-m", "pip", "-v", *arguments, "--no-deps", "--no-index"]
    return subprocess.run(
        command,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def build_wheel(copy: Path, **environment: str) -> tuple[Path, str]:
    """Build a wheel of the copy; its path, and what the build printed."""
    dist = copy.parent / "dist"
    done = pip("wheel", "--no-build-isolation", "--wheel-dir", str(dist), str(copy), **environment)
    assert done.returncode == 0, done.stdout
    (wheel,) = dist.glob("*.whl")
    return wheel, done.stdout


def run_installed(wheel: Path, program: str) -> str:
    """Install the wheel into a folder of its own and run a program on it, with no compiler in reach."""
    site = wheel.parent / "site"
    done = pip("install", "--target", str(site), str(wheel))
    assert done.returncode == 0, done.stdout
    # Dependencies come from here, but -S keeps out the hooks of an editable installation of the checkout.
    path = os.pathsep.join([str(site), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    environment = os.environ | NO_COMPILER | {"PYTHONPATH": path, "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=wheel.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_compiler
def test_a_wheel_built_with_a_compiler_runs_compiled_without_one(copy: Path) -> None:
    wheel, output = build_wheel(copy, MMFUZZ_BUILD="compiled")
    assert SAYS_UNCOMPILED not in output
    assert not wheel.name.endswith("-any.whl")
    assert run_installed(wheel, IS_COMPILED) == "True"
    assert "simcore/rmap.pxd" in run_installed(
        wheel, "import simcore, pathlib; print(*pathlib.Path(simcore.__path__[0]).parent.rglob('*.pxd'))"
    )


def test_without_a_compiler_the_installation_succeeds_and_says_so(copy: Path) -> None:
    wheel, output = build_wheel(copy, **NO_COMPILER)
    assert output.count(SAYS_UNCOMPILED) == 1
    assert run_installed(wheel, IS_COMPILED) == "False"


def test_an_uncompiled_wheel_is_for_any_machine(copy: Path) -> None:
    wheel, _ = build_wheel(copy, MMFUZZ_BUILD="uncompiled")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert run_installed(wheel, IS_COMPILED) == "False"


def test_a_compiled_build_without_a_compiler_is_an_error(copy: Path) -> None:
    done = pip("wheel", "--no-build-isolation", str(copy), MMFUZZ_BUILD="compiled", **NO_COMPILER)
    assert done.returncode != 0


def test_an_unknown_way_to_build_is_an_error_that_names_the_ways(copy: Path) -> None:
    done = pip("wheel", "--no-build-isolation", str(copy), MMFUZZ_BUILD="fast")
    assert done.returncode != 0
    assert "MMFUZZ_BUILD is 'fast'; it can be one of: auto, compiled, uncompiled, sanitize" in done.stdout
