"""Paths and URLs, right and wrong."""

from pathlib import Path

import pytest

from db.errors import BadUrlError, DatabaseError, UnreachableDatabaseError
from db.place import find_place


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("/a/b.db", "/a/b.db"),
        ("sqlite:////a/b.db", "/a/b.db"),
        ("/a/with %20 ? # and ü.db", "/a/with %20 ? # and ü.db"),
    ],
)
def test_place_of_a_file_is_its_path(target: str, file: str) -> None:
    place = find_place(target)
    assert place.file == Path(file)
    assert place.shown == file


def test_place_takes_path_objects_and_makes_them_absolute() -> None:
    assert find_place(Path("x.db")).file == Path.cwd() / "x.db"
    assert find_place("sqlite:///x.db").file == Path.cwd() / "x.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_place_of_a_server_names_its_driver_and_hides_its_password(scheme: str) -> None:
    place = find_place(f"{scheme}://me:secret@host/name")
    assert place.url.drivername == "postgresql+psycopg"
    assert place.file is None
    assert "secret" not in place.shown


def test_place_hides_a_password_among_the_options() -> None:
    place = find_place("postgresql://me@host/name?sslmode=require&password=secret&sslpassword=secret")
    assert place.url.query["password"] == "secret"
    assert "secret" not in place.shown
    assert "sslmode=require" in place.shown


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", "no database was named"),
        ("mysql://u@h/d", "no such kind of database"),
        ("nonsense://u@h/d", "no such"),
        ("postgresql+nonsense://u@h/d", "no such"),
        ("postgresql+asyncpg://u@h/d", "not installed|asynchronous"),
        ("postgresql://u@h:port/d", "not a database URL"),
        ("sqlite:///file:x.db?uri=true", "takes no options"),
        ("sqlite:///x.db?mode=ro", "takes no options"),
        ("sqlite:///file:x.db", "URIs are not taken"),
    ],
)
def test_place_refuses_what_is_none(target: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as error:
        find_place(target)
    assert isinstance(error.value, BadUrlError | UnreachableDatabaseError)
    assert error.value.remedy


@pytest.mark.parametrize("target", ["me:secret@host:port/name", "host:port/name?password=secret&user=me"])
def test_place_never_repeats_a_password_of_a_url_it_cannot_read(target: str) -> None:
    with pytest.raises(BadUrlError) as error:
        find_place(f"postgresql://{target}")
    assert "secret" not in str(error.value)
