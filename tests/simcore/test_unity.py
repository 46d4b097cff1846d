"""Joining modules to one source, and finding the way back to their lines."""

from pathlib import Path

import pytest

from simcore.unity import (
    Unity,
    UnityError,
    join_headers,
    join_sources,
    map_line_directives,
    map_messages,
    source_digest,
)

CORE = Unity("simcore", "_core", tables=("constants",), modules=("rmap", "vmscan"))
FILES = {
    "simcore/constants.pxd": "cdef enum:\n    PTE_DIRTY = 8\n",
    "simcore/rmap.py": "import cython\n\n\ndef unmap(pte: int) -> int:\n    return pte & 7",
    "simcore/rmap.pxd": "cdef int unmap(int pte) noexcept nogil\n",
    "simcore/vmscan.py": (
        "import cython\n\nif not cython.compiled:\n    from simcore.rmap import unmap\n\n\n"
        "def shrink(pte: int) -> int:\n    return unmap(pte)\n"
    ),
    "simcore/vmscan.pxd": "from simcore.rmap cimport unmap\ncdef int shrink(int pte) noexcept nogil\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_every_joined_line_is_found_again(root: Path) -> None:
    joined = join_sources(CORE, root)
    for number, line in enumerate(joined.text.splitlines(), 1):
        path, original = joined.locate(number)
        assert (root / path).read_text().splitlines()[original - 1] == line


def test_headers_keep_their_lines_when_cimports_of_the_own_extension_go(root: Path) -> None:
    joined = join_headers(CORE, root)
    assert "cimport" not in joined.text
    line = joined.text.splitlines().index("cdef int shrink(int pte) noexcept nogil") + 1
    assert joined.locate(line) == ("simcore/vmscan.pxd", 2)


def test_cimports_of_another_unity_name_its_extension(root: Path) -> None:
    engines = Unity("fuzzer", "_engines", tables=(), modules=("swarm",), uses=(CORE,))
    (root / "fuzzer").mkdir()
    (root / "fuzzer/swarm.pxd").write_text("from libc.stdint cimport uint64_t\nfrom simcore.rmap cimport unmap\n")
    assert join_headers(engines, root).text == ("from libc.stdint cimport uint64_t\nfrom simcore._core cimport unmap\n")


def test_line_directives_name_the_modules(root: Path) -> None:
    joined = {"_core.py": join_sources(CORE, root)}
    c_source = '#line 5 "build/unity/simcore/_core.py"\n x;\n#line 13 "build/unity/simcore/_core.py"\n y;\n'
    assert map_line_directives(c_source, joined) == (
        '#line 5 "simcore/rmap.py"\n x;\n#line 8 "simcore/vmscan.py"\n y;\n'
    )


def test_messages_name_the_modules(root: Path) -> None:
    joined = {"_core.py": join_sources(CORE, root)}
    message = "build/unity/simcore/_core.py:13:11: undeclared name"
    assert map_messages(message, joined) == "simcore/vmscan.py:8:11: undeclared name"


def test_digest_follows_sources_and_headers(root: Path) -> None:
    before = source_digest(CORE, root)
    assert source_digest(CORE, root) == before
    (root / "simcore/constants.pxd").write_text("cdef enum:\n    PTE_DIRTY = 16\n")
    assert source_digest(CORE, root) != before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "def unmap(x: int) -> int: return x",
            r"simcore/vmscan\.py:1: 'unmap' is also defined in simcore/rmap\.py",
        ),
        ("from __future__ import annotations", r"simcore/vmscan\.py:1: `from __future__` cannot stand"),
        ("from simcore.rmap import unmap", r"move it below `if not cython\.compiled:`"),
    ],
)
def test_modules_that_do_not_fit_together_are_refused(root: Path, line: str, message: str) -> None:
    (root / "simcore/vmscan.py").write_text(line + "\n")
    with pytest.raises(UnityError, match=message):
        join_sources(CORE, root)
