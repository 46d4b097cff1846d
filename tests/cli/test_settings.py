"""Which database is meant."""

from pathlib import Path

import pytest

from cli.errors import InfrastructureTrouble
from cli.settings import choose_database, make_default_folder


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
