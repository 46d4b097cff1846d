"""Headers from annotations."""

from pathlib import Path

import pytest

from simcore.headers import HeaderError, headers, struct_name, update
from simcore.unity import Unity

CORE = Unity("simcore", "_core", tables=("constants", "mm_types"), modules=("rmap",))
ENGINES = Unity("fuzzer", "_engines", tables=(), modules=("swarm",), uses=(CORE,))

CONSTANTS = "MAX_PTES = 4\nPTE_DIRTY = 1 << 3\nNO_PAGE = -1\nNAMES = ('a',)\n"
MM_TYPES = """
from typing import Annotated
from simcore.constants import MAX_PTES

Words = Annotated[list[int], "const uint32_t *"]

class MmState:
    pte: Annotated[list[int], "int32_t", MAX_PTES]
    rows: Annotated[list[list[int]], "uint8_t", MAX_PTES, 2]
    outcome: Annotated[int, "uint64_t"]

class Name:
    text: str
"""
RMAP = """
import cython
if not cython.compiled:
    from simcore.constants import PTE_DIRTY
    from simcore.mm_types import MmState, Words

"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"constants": CONSTANTS, "mm_types": MM_TYPES, "rmap": RMAP}.items():
        path = tmp_path / "simcore" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def header_of(root: Path, module: str, more: str = "") -> str:
    """The header of a module of CORE, with more source at its end."""
    path = root / "simcore" / f"{module}.py"
    path.write_text(path.read_text() + more)
    return headers(CORE, root)[path.with_suffix(".pxd")]


def test_constants_become_enum_members(root: Path) -> None:
    text = header_of(root, "constants")
    assert "cdef enum:\n    MAX_PTES = 4\n    PTE_DIRTY = 8\n    NO_PAGE = -1\n" in text
    assert "NAMES" not in text


def test_constants_wider_than_an_int_keep_their_width(root: Path) -> None:
    text = header_of(root, "constants", 'ONE: "u64" = 1\nPRIME = 0x100000001B3\nLAST = (1 << 64) - 1\n')
    assert "#define ONE ((uint64_t)1ull)" in text
    assert "#define PRIME ((int64_t)1099511628211ull)" in text
    assert "#define LAST ((uint64_t)18446744073709551615ull)" in text
    assert "const uint64_t ONE" in text


def test_classes_of_annotated_attributes_become_structs(root: Path) -> None:
    text = header_of(root, "mm_types")
    assert text.endswith(
        "cdef struct mm_state:\n    int32_t pte[MAX_PTES]\n    uint8_t rows[MAX_PTES][2]\n    uint64_t outcome\n"
    )
    assert "from simcore.constants cimport MAX_PTES\n" in text


def test_a_struct_that_ends_in_an_array_is_refused(root: Path) -> None:
    with pytest.raises(HeaderError, match=r"mm_types\.py:\d+: the last attribute of Tail is an array"):
        header_of(root, "mm_types", '\nclass Tail:\n    log: Annotated[list[int], "int", 3]\n')


@pytest.mark.parametrize(
    ("python", "c"),
    [
        ('def f(s: "MmState", pfn: int) -> int: ...', "int f(mm_state *s, int pfn)"),
        ("def f(ok: bool) -> bool: ...", "bint f(bint ok)"),
        ('def f(x: "u64", y: "i64") -> "u64": ...', "uint64_t f(uint64_t x, int64_t y)"),
        ('def f(words: "Words") -> None: ...', "void f(const uint32_t *words)"),
    ],
)
def test_functions_of_c_types_become_c_functions(root: Path, python: str, c: str) -> None:
    assert f"cdef {c} noexcept nogil\n" in header_of(root, "rmap", python)


@pytest.mark.parametrize(
    "python",
    [
        "def f(text: str) -> int: ...",
        "def f(x): ...",
        "@cython.ccall\ndef f(x: int) -> int: ...",
        "def f(*x: int) -> int: ...",
        "class M:\n    def f(self, x: int) -> int: ...",
    ],
)
def test_other_functions_stay_python_functions(root: Path, python: str) -> None:
    assert "cdef" not in header_of(root, "rmap", python)


def test_default_values_are_refused(root: Path) -> None:
    with pytest.raises(HeaderError, match=r"simcore/rmap\.py:\d+: f has default values"):
        header_of(root, "rmap", "def f(x: int = 3) -> int: ...")


def test_locals_that_hold_comparisons_are_declared(root: Path) -> None:
    source = "def f(pte: int) -> int:\n    dirty = pte & PTE_DIRTY != 0\n    return 3 if dirty else 4\n"
    text = header_of(root, "rmap", source)
    assert "@cython.locals(dirty=bint)\ncdef int f(int pte) noexcept nogil\n" in text
    assert "cimport cython\n" in text


def test_extra_lines_stand_at_the_head(root: Path) -> None:
    (root / "simcore/rmap.extra.pxd").write_text("cdef class Machine:\n    cdef mm_state s\n")
    text = header_of(root, "rmap", "def f(x: int) -> int: ...")
    assert text.index("cdef class Machine:") < text.index("cdef int f(")


def test_other_packages_are_cimported_as_far_as_c_knows_their_names(root: Path) -> None:
    header_of(root, "rmap", 'def walk(s: "MmState") -> int: ...\n\n\ndef name(text: str) -> str: ...\n')
    (root / "fuzzer").mkdir()
    (root / "fuzzer/swarm.py").write_text(
        "import cython\nif not cython.compiled:\n"
        "    from simcore.constants import PTE_DIRTY\n"
        "    from simcore.mm_types import MmState\n"
        "    from simcore.rmap import name, walk\n"
        'def g(s: "MmState") -> int: ...\n'
    )
    assert headers(ENGINES, root)[root / "fuzzer/swarm.pxd"] == (
        "# Written from swarm.py by `make headers`.\n\n"
        "from simcore.constants cimport PTE_DIRTY\n"
        "from simcore.mm_types cimport mm_state\n"
        "from simcore.rmap cimport walk\n\n"
        "cdef int g(mm_state *s) noexcept nogil\n"
    )


def test_only_files_that_differ_are_written(root: Path) -> None:
    texts = headers(CORE, root)
    assert set(update(texts)) == set(texts)
    assert not update(texts)


def test_struct_names_are_written_as_in_c() -> None:
    assert struct_name("MmState") == "mm_state"
