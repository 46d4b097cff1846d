"""What the environment decides: where the database is when no option says so. Nothing else reads it."""

import os
from collections.abc import Mapping
from pathlib import Path

from cli.errors import InfrastructureTrouble, UsageMistake

DATABASE_VARIABLE = "MMFUZZ_DATABASE_URL"
DATA_HOME_VARIABLE = "XDG_DATA_HOME"
BROKER_VARIABLE = "MMFUZZ_BROKER_URL"
SPOOL_VARIABLE = "MMFUZZ_SPOOL"
STATE_HOME_VARIABLE = "XDG_STATE_HOME"
DEFAULT_FILE = Path("mmfuzz", "mmfuzz.db")


def choose_database(option: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The path or URL of the database: the option's, the environment's, or the default below the user's data."""
    return option or environment.get(DATABASE_VARIABLE) or str(_default_database(environment))


def choose_broker(option: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The URL of the broker: the option's, or the environment's; None without either."""
    return option or environment.get(BROKER_VARIABLE) or None


def choose_spool(option: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for results that wait for the database."""
    if option is not None:
        return option
    if environment.get(SPOOL_VARIABLE):
        return Path(environment[SPOOL_VARIABLE])
    state_home = Path(environment.get(STATE_HOME_VARIABLE) or "")
    try:
        return (state_home if state_home.is_absolute() else Path("~/.local/state").expanduser()) / "mmfuzz" / "spool"
    except RuntimeError as error:
        raise UsageMistake(f"no home folder to spool results in; name one with --spool or {SPOOL_VARIABLE}") from error


def make_default_folder(target: str, environment: Mapping[str, str] = os.environ) -> None:
    """Make the folder of the default database, if that is the one meant; others must be there already."""
    try:
        default = _default_database(environment)
    except UsageMistake:
        return
    if target != str(default):
        return
    try:
        default.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureTrouble(
            f"the folder of the database cannot be made: {default.parent} ({error.strerror}); choose another"
            f" place with --database or {DATABASE_VARIABLE}"
        ) from error


def inherited_environment() -> Mapping[str, str]:
    """What a program that we start gets of our environment: all of it."""
    return os.environ


def _default_database(environment: Mapping[str, str]) -> Path:
    """Below $XDG_DATA_HOME, which the XDG Base Directory Specification wants ignored when it is relative."""
    data_home = Path(environment.get(DATA_HOME_VARIABLE) or "")
    if data_home.is_absolute():
        return data_home / DEFAULT_FILE
    try:
        return Path("~/.local/share").expanduser() / DEFAULT_FILE
    except RuntimeError as error:
        raise UsageMistake(
            f"no home folder to keep a database in; name one with --database or {DATABASE_VARIABLE}"
        ) from error
