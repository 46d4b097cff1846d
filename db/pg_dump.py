"""Copies of a PostgreSQL database, by PostgreSQL's own programs.

Nothing secret stands on a command line, which everybody on the machine can read: the password is in the
environment of the program.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from db.database import server_connection
from db.errors import ProgramError
from db.new_file import full_file
from db.place import SECRET_OPTIONS, Place
from db.translate import translated

# Variables of PostgreSQL's programs, by the names of the options that they stand for. Debian's wrapper of the
# programs chooses among several releases by the first two.
_VARIABLES: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
}

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def dump(place: Place, part: Path, file: Path, environment: Mapping[str, str]) -> None:
    """Write the whole database to `part`, in pg_dump's custom format and as it is at one moment; then read it once.

    Where the tables stand in a schema of their own, only that schema is written. ProgramError when a program
    is missing, older than the server, or fails. `file` is what messages call the copy.
    """
    with translated(place.shown), server_connection(place) as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
        found = connection.execute(text("SELECT current_schema()")).scalar_one()
    programs = [_find_program(name, server, environment) for name in ("pg_dump", "pg_restore")]
    variables, options = _connection_of(place)
    # The schema "public" is in every database already, and would be made again.
    only = [] if found == "public" else [f"--schema={_quoted_pattern(found)}"]
    command = [programs[0], "--format=custom", "--no-password", f"--file={part}", *options, *only]
    _run(command, dict(environment) | variables, file)
    # To read the whole file is what there is of a check.
    _run([programs[1], "--file=/dev/null", str(part)], environment, file)


def _find_program(name: str, server: int, environment: Mapping[str, str]) -> str:
    """The path of one of PostgreSQL's programs, not older than the server."""
    remedy = f"install PostgreSQL's client programs, release {server} or later"
    path = shutil.which(name, path=environment.get("PATH"))
    if path is None:
        raise ProgramError("a program of PostgreSQL's is missing", f"{name} is not on the PATH", remedy)
    said = _run([path, "--version"], environment, Path(path))
    release = re.search(r"\) (\d+)", said)
    if release is not None and int(release[1]) < server:
        value = f"{path} is of release {release[1]}, the server of {server}"
        raise ProgramError("a program of PostgreSQL's is older than the server", value, remedy)
    return path


def _connection_of(place: Place) -> tuple[dict[str, str], list[str]]:
    """How a program gets to the database: variables, and options for its command line."""
    _, asked = place.url.get_dialect()().create_connect_args(place.url)
    options = {name: value for name, value in asked.items() if name not in _VARIABLES}
    if secret := SECRET_OPTIONS & options.keys():
        raise ProgramError(
            "an option of the URL cannot be handed to pg_dump unseen",
            ", ".join(sorted(secret)),
            "run pg_dump yourself, or connect without it",
        )
    variables = {_VARIABLES[name]: str(value) for name, value in asked.items() if name in _VARIABLES}
    return variables, [f"--dbname={_conninfo(options)}"] if options else []


def _conninfo(options: Mapping[str, Any]) -> str:
    """Options as libpq reads them from one text."""
    escaped = {name: str(value).replace("\\", "\\\\").replace("'", "\\'") for name, value in options.items()}
    return " ".join(f"{name}='{value}'" for name, value in escaped.items())


def _quoted_pattern(name: str) -> str:
    """A name as pg_dump's options take it where it is meant to the letter."""
    return '"' + name.replace('"', '""') + '"'


def _run(command: Sequence[str], environment: Mapping[str, str], file: Path) -> str:
    """What a program prints. ProgramError with its last words when it fails; `file` is what it was to write."""
    program = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            # What it says is looked at below.
            env=dict(environment) | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise ProgramError(f"{program} cannot be run", f"{command[0]} ({error.strerror})", "install it anew") from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == -signal.SIGXFSZ or any(os.strerror(code) in done.stderr for code in _FULL):
        raise full_file(file)
    last = [line for line in done.stderr.splitlines() if line.strip()][-3:]
    said = "; ".join(last) or _ending(done.returncode)
    raise ProgramError(f"{program} failed", f"{file} ({said})", "mend what it says; nothing was left of the copy")


def _ending(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
