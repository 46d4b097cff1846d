"""What is written from the sources by `make headers` is up to date, and the unities can be joined."""

from pathlib import Path

import pytest

from fuzzer.unity import ENGINES
from guest.op_codes import HEADER, op_codes_header
from simcore.headers import headers
from simcore.ids import id_modules
from simcore.pages import pages
from simcore.unity import CORE, Unity, join_headers, join_sources

UNITIES = pytest.mark.parametrize("unity", [CORE, ENGINES], ids=lambda unity: unity.extension)


def stale(files: dict[Path, str]) -> list[str]:
    """The names of the files that are missing or differ."""
    return [path.name for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]


def test_modules_of_numbers_are_up_to_date(root: Path) -> None:
    assert not stale(id_modules(root)), "run `make headers` and commit what it writes"


def test_reference_pages_are_up_to_date(root: Path) -> None:
    assert not stale(pages(root)), "run `make headers` and commit what it writes"


def test_the_agents_table_of_ops_is_up_to_date(root: Path) -> None:
    assert not stale({root / HEADER: op_codes_header()}), "run `make headers` and commit what it writes"


@UNITIES
def test_headers_are_up_to_date(unity: Unity, root: Path) -> None:
    assert not stale(headers(unity, root)), "run `make headers` and commit what it writes"


@UNITIES
def test_no_header_is_left_of_a_module_that_is_gone(unity: Unity, root: Path) -> None:
    written = set(headers(unity, root))
    found = {path for path in (root / unity.package).rglob("*.pxd") if not path.name.endswith(".extra.pxd")}
    assert found <= written


@UNITIES
def test_modules_fit_together(unity: Unity, root: Path) -> None:
    assert join_sources(unity, root).text or not unity.modules
    assert join_headers(unity, root).text or not unity.modules
