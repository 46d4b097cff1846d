"""What `mmfuzz doctor` looks at on this machine, and the database as it lies there."""

import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from cli.core_state import BUILD_IT, ExtensionState, extension_states
from cli.database import look_at, nearest_folder
from cli.doctor_finding import Finding
from cli.errors import CliError
from cli.versions import find_commit, own_version
from db.errors import DatabaseError
from simcore.core import is_compiled
from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import parse_trace

LEAST_PYTHON = (3, 11)
PACKAGES = ("alembic", "click", "Cython", "msgspec", "rich", "SQLAlchemy")
OPTIONAL_PACKAGES = {"psycopg": "PostgreSQL: pip install 'mmfuzz[postgres]'"}
LOW_SPACE_MB = 500

# The refused patch loses the store; the kernel before it must not.
_LOST_STORE = """mmfuzz trace 1
kernel linux-4.0-rc7-mm1+dirty-on-swapin
world processes=1 pages=1 frames=4 slots=2 memcgs=1 mergeable=0 swap=disk
write 0 0 1
migrate 0 0
reclaim
"""


def check_python() -> list[Finding]:
    """Python itself."""
    what = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        return [Finding("python", "wrong", what, f"install Python {least} or later")]
    return [Finding("python", "ok", what)]


def check_packages() -> list[Finding]:
    """The release of mmfuzz and the packages it is made of."""
    commit = find_commit()
    findings = [Finding("mmfuzz", "ok", own_version() + (f", commit {commit}" if commit else ""))]
    versions = {name: _version(name) for name in (*PACKAGES, *OPTIONAL_PACKAGES)}
    missing = [name for name in PACKAGES if versions[name] is None]
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        findings.append(Finding("packages", "wrong", f"missing: {', '.join(missing)}", "install mmfuzz again"))
    findings.append(Finding("packages", "ok", there))
    findings += [
        Finding("packages", "note", f"without {name}", mend)
        for name, mend in OPTIONAL_PACKAGES.items()
        if versions[name] is None
    ]
    return findings


def check_core() -> list[Finding]:
    """The compiled core and engines, and whether they were made from the sources beside them."""
    if not is_compiled():
        return [Finding("core", "note", "uncompiled: everything works, some two hundred times slower", BUILD_IT)]
    return [_extension_finding(each) for each in extension_states()]


def check_canary() -> list[Finding]:
    """A trace that must fail on one kernel and pass on another."""
    if any(each.state == "stale" for each in extension_states()):
        return [Finding("self-test", "note", "not made: the core is not what its sources say")]
    trace = parse_trace(_LOST_STORE)
    guilty = find_kernel(trace.kernel)
    assert guilty.parent is not None, "the refused patch was made to a kernel"
    seen = run_trace(trace, guilty), run_trace(trace, find_kernel(guilty.parent))
    caught = [violation.oracle for violation in seen[0].violations]
    if "lost-store" in caught and not seen[1].failed:
        return [Finding("self-test", "ok", "the known lost store is found, and not where there is none")]
    what = f"write, migrate, reclaim gave {caught or 'no failure'} on {guilty.name}"
    return [Finding("self-test", "wrong", what, "report this: nothing that mmfuzz says here can be believed")]


def check_database(database: str) -> list[Finding]:
    """The database that the settings name: reachable, ours, current, writable, whole, with room."""
    try:
        state = look_at(database)
    except (DatabaseError, CliError) as error:
        return [Finding("database", "wrong", str(error), "or choose another with --database")]
    findings = []
    if state.schema == "missing":
        findings.append(Finding("database", "ok", f"{state.shown}: not there yet, the first run makes it"))
    elif state.schema == "older":
        what = f"{state.shown}: schema {state.revision}, this release has {state.latest}"
        findings.append(Finding("database", "note", what, "`mmfuzz db upgrade`, or the next run, changes it"))
    else:
        findings.append(Finding("database", "ok", f"{state.shown}: schema {state.revision}, current"))
    if not state.writable:
        mend = "change the permissions of the file and its folder, or choose another with --database"
        findings.append(Finding("database", "wrong", f"{state.shown} cannot be written", mend))
    findings += [Finding("database", "wrong", line, "restore a copy of the database") for line in state.damage]
    return findings if state.file is None else [*findings, check_space("disk", state.file)]


def check_terminal() -> list[Finding]:
    """Where output goes."""
    if not sys.stdout.isatty():
        return [Finding("terminal", "ok", "stdout is no terminal: plain lines, no colours")]
    size = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "")
    if not kind or kind == "dumb":
        return [Finding("terminal", "note", f"TERM is {kind!r}: no live progress", "set TERM, such as xterm-256color")]
    return [Finding("terminal", "ok", f"{kind}, {size.columns} columns, {size.lines} lines")]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _extension_finding(each: ExtensionState) -> Finding:
    if each.state == "unknown":
        return Finding("core", "note", f"{each.extension}: compiled from {each.made_from}; no sources to compare with")
    if each.state == "stale":
        what = f"{each.extension} was compiled from {each.made_from}, the sources are {each.sources}"
        return Finding("core", "wrong", what, BUILD_IT)
    return Finding("core", "ok", f"{each.extension}: compiled, from these sources ({each.sources})")


def check_space(name: str, file: Path) -> Finding:
    """The room that a file, or its folder which may not be there yet, has."""
    folder = nearest_folder(file)
    free_mb = shutil.disk_usage(folder).free // 2**20
    if free_mb < LOW_SPACE_MB:
        return Finding(name, "note", f"{free_mb} MB free in {folder}", f"less than {LOW_SPACE_MB} MB: free some")
    return Finding(name, "ok", f"{free_mb:,} MB free in {folder}")
