"""Where a database is: a path or a URL, taken apart once."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from db.errors import BadUrlError, UnreachableDatabaseError

# SQLAlchemy's own default driver differs between its releases, so ours is named.
_SCHEMES = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_DIALECTS = ("sqlite", "postgresql")
SECRET_OPTIONS = frozenset({"password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"})
"""Options of PostgreSQL's connections that must not be shown."""

_EXAMPLES = "give a path, sqlite:///PATH or postgresql://USER@HOST/NAME"


@dataclass(frozen=True, slots=True)
class Place:
    """One database's address.

    `shown` is for people: the path, or the URL without its password. `file` is the absolute path of a SQLite
    file, None for a server and for SQLite in memory.
    """

    url: URL
    shown: str
    file: Path | None


def find_place(target: str | os.PathLike[str]) -> Place:
    """The address meant by a path or a URL; touches nothing. BadUrlError when it is neither."""
    text = os.fspath(target)
    if not text:
        raise BadUrlError("no database was named", "''", _EXAMPLES)
    if "://" not in text:
        return _file_place(Path(text))
    url = _parse(text)
    if url.get_backend_name() != "sqlite":
        return Place(url, _shown(url), None)
    if url.database in (None, "", ":memory:"):
        return Place(url, "sqlite in memory", None)
    if str(url.database).startswith("file:"):
        raise BadUrlError("SQLite's own URIs are not taken", text, "give a path or sqlite:///PATH")
    return _file_place(Path(str(url.database)))


def _file_place(path: Path) -> Place:
    file = path.absolute()
    return Place(URL.create("sqlite", database=str(file)), str(file), file)


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise BadUrlError("not a database URL", _without_password(text), _EXAMPLES) from None
    url = url.set(drivername=_SCHEMES.get(url.drivername, url.drivername))
    shown = _shown(url)
    if url.get_backend_name() not in _DIALECTS:
        raise BadUrlError("no such kind of database is served", shown, _EXAMPLES)
    if url.get_backend_name() == "sqlite" and url.query:
        raise BadUrlError("a SQLite URL takes no options here", shown, "give a path or sqlite:///PATH")
    _check_driver(url, shown)
    return url


def _shown(url: URL) -> str:
    """The URL without what is secret; options of the driver can be, too."""
    secret = {name: "***" for name in url.query if name in SECRET_OPTIONS}
    return url.update_query_dict(secret).render_as_string(hide_password=True)


def _check_driver(url: URL, shown: str) -> None:
    """Refuse drivers that are not installed, unknown, or asynchronous."""
    try:
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except NoSuchModuleError:
        raise BadUrlError("no such database driver", shown, _EXAMPLES) from None
    except ImportError as error:
        raise UnreachableDatabaseError(
            "the database driver is not installed", f"{shown} ({error})", f"install {url.get_driver_name()}"
        ) from error
    if dialect.is_async:
        raise BadUrlError("asynchronous drivers are not served", shown, _EXAMPLES)


def _without_password(text: str) -> str:
    """The text with everything between :// and the last @ taken out: it did not parse, so be careful."""
    scheme, _, rest = text.partition("://")
    shown = f"{scheme}://***@{rest.rpartition('@')[2]}" if "@" in rest else text
    return re.sub(rf"\b({'|'.join(SECRET_OPTIONS)})=[^&]*", r"\1=***", shown)
