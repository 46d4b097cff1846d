"""Which database, broker and spool are meant."""

from pathlib import Path

import pytest

from cli.errors import InfrastructureTrouble
from cli.settings import choose_broker, choose_database, choose_spool, make_default_folder


def test_the_option_goes_before_the_environment() -> None:
    assert choose_database("mine.db", {"MMFUZZ_DATABASE_URL": "other.db"}) == "mine.db"


def test_the_environment_goes_before_the_default() -> None:
    environment = {"MMFUZZ_DATABASE_URL": "other.db", "XDG_DATA_HOME": "/data"}
    assert choose_database(None, environment) == "other.db"
    assert choose_database(None, environment | {"MMFUZZ_DATABASE_URL": ""}) == "/data/mmfuzz/mmfuzz.db"


def test_the_default_ignores_a_relative_data_home() -> None:
    assert choose_database(None, {"XDG_DATA_HOME": "data"}).endswith(".local/share/mmfuzz/mmfuzz.db")


def test_only_the_default_folder_is_made(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}
    make_default_folder(str(tmp_path / "other" / "mine.db"), environment)
    assert not (tmp_path / "other").exists()
    make_default_folder(choose_database(None, environment), environment)
    assert (tmp_path / "data" / "mmfuzz").is_dir()


def test_a_default_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}
    with pytest.raises(InfrastructureTrouble, match="--database"):
        make_default_folder(choose_database(None, environment), environment)


def test_the_broker_is_the_options_then_the_environments_then_none() -> None:
    environment = {"MMFUZZ_BROKER_URL": "redis://theirs"}
    assert choose_broker("redis://mine", environment) == "redis://mine"
    assert choose_broker(None, environment) == "redis://theirs"
    assert choose_broker(None, {"MMFUZZ_BROKER_URL": ""}) is None
    assert choose_broker(None, {}) is None


def test_the_spool_is_the_options_then_the_environments_then_below_the_state_home() -> None:
    environment = {"MMFUZZ_SPOOL": "/theirs", "XDG_STATE_HOME": "/state"}
    assert choose_spool(Path("mine"), environment) == Path("mine")
    assert choose_spool(None, environment) == Path("/theirs")
    assert choose_spool(None, environment | {"MMFUZZ_SPOOL": ""}) == Path("/state/mmfuzz/spool")


def test_the_spool_ignores_a_relative_state_home() -> None:
    for environment in ({}, {"XDG_STATE_HOME": "state"}):
        assert choose_spool(None, environment) == Path("~/.local/state/mmfuzz/spool").expanduser()
