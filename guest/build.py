"""The agent as a binary: compiled on this machine once, and kept."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from guest.errors import AgentError

SOURCES = Path(__file__).resolve().parent / "src"
COMPILER = "gcc"
# In the guest is nothing but the agent: no libraries, and nobody to attack it, so that it starts with the fewest
# instructions.
FLAGS = ("-static", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fno-stack-protector", "-fno-pie", "-no-pie")


def build_agent(cache: Path, sources: Path = SOURCES) -> Path:
    """The path of the static binary made of all the .c files in `sources`; compiled only if `cache` has it not yet.

    AgentError with what the compiler says when it cannot be compiled, or with the package to install.
    """
    compiler = _find_compiler()
    names = sorted(path.name for path in sources.glob("*.c"))
    if not names:
        raise AgentError(f"no sources of the agent: {sources}/*.c; install mmfuzz again")
    binary = cache / f"agent-{_digest(compiler, sources)}"
    if binary.is_file():
        return binary
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # On the same disk, so that it can be moved, and with a name of its own for every process that compiles.
        with tempfile.TemporaryDirectory(prefix=".agent-", dir=cache) as folder:
            made = Path(folder) / "agent"
            _compile([compiler, *FLAGS, "-o", str(made), *names], sources)
            made.rename(binary)
    except OSError as error:
        raise AgentError(f"the agent cannot be kept in {cache}: {error.strerror}; choose another cache") from error
    return binary


def _find_compiler() -> str:
    """The compiler, once it is known that it and the static C library are there."""
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise AgentError(f"the agent is compiled by {COMPILER}, which is not there; install the package {COMPILER}")
    # A library that it does not find it names as it was asked.
    if _output([compiler, "-print-file-name=libc.a"]) == "libc.a":
        raise AgentError("the static C library, libc.a, is not there; install the package libc6-dev")
    return compiler


def _digest(compiler: str, sources: Path) -> str:
    """What stands for everything that the binary is made from."""
    version = _output([compiler, "--version"])
    library = Path(_output([compiler, "-print-file-name=libc.a"])).read_bytes()
    parts = [*FLAGS, version, hashlib.sha256(library).hexdigest()]
    for path in sorted((*sources.glob("*.c"), *sources.glob("*.h"))):
        parts += [path.name, hashlib.sha256(path.read_bytes()).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _compile(command: Sequence[str], sources: Path) -> None:
    """Run the compiler among the sources, so that messages and the binary name them as they are called there."""
    done = _run(command, sources)
    if done.returncode:
        raise AgentError(f"the agent cannot be compiled: {' '.join(command)}\n{done.stderr.strip()}")


def _output(command: Sequence[str]) -> str:
    return _run(command).stdout.strip()


def _run(command: Sequence[str], folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
