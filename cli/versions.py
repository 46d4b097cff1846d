"""What took part in a run: versions, to be stored beside every result."""

import functools
import platform
import subprocess
import tomllib
from importlib import import_module, metadata
from pathlib import Path

from simcore.core import is_compiled

ROOT = Path(__file__).resolve().parents[1]
DISTRIBUTION = "mmfuzz"


def find_versions() -> dict[str, str]:
    """The version of each part; `commit` only where mmfuzz runs from a git checkout."""
    versions = {
        "mmfuzz": own_version(),
        "core": f"compiled {compiled_digest()}" if is_compiled() else "uncompiled",
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    commit = find_commit()
    return versions | {"commit": commit} if commit else versions


def own_version() -> str:
    """The version of the installed distribution, or of the checkout that is run without being installed."""
    project = ROOT / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"


def compiled_digest() -> str:
    """The digest of the sources that the compiled core was made from."""
    return str(import_module("simcore._core").SOURCE_DIGEST)


@functools.cache
def find_commit() -> str | None:
    """The commit that is checked out, with "+changes" when files differ from it; None outside a checkout."""
    if not (ROOT / ".git").exists():
        return None
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return None
    return f"{commit}+changes" if _git("status", "--porcelain", "--untracked-files=no") else commit


def _git(*arguments: str) -> str:
    """What git says, or nothing where it says an error or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
