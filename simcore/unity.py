"""What the compiled core is made of: which modules become one extension, in which order, and how.

All modules of a unity are compiled as one, so that the C compiler sees every function of every module and
inlines across them. This file joins their sources and headers to one source and one header; setup.py hands
these to Cython and to the C compiler. Nothing here is needed to run the simulator.

A core module is plain Python that also runs uncompiled. Joining asks three things of it: no `from __future__`
import; its imports of our own modules below `if not cython.compiled:` (Cython drops that block); top-level
names that no other module of the unity has.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simcore.errors import SimcoreError


class UnityError(SimcoreError):
    """The modules of a unity cannot be joined; the message names the files and what to change."""


@dataclass(frozen=True, slots=True)
class Unity:
    """One extension made of many modules.

    `tables` are modules of constants and structs: only their headers go in. `modules` are compiled, in this
    order. Both are names inside `package`, with dots for subfolders. `uses` are the extensions it calls into.
    """

    package: str
    name: str
    tables: tuple[str, ...]
    modules: tuple[str, ...]
    uses: tuple["Unity", ...] = ()

    @property
    def extension(self) -> str:
        """The import name of the compiled module."""
        return f"{self.package}.{self.name}"

    @property
    def owners(self) -> dict[str, str]:
        """For the import name of each module of this unity and of those it uses: the extension it is in."""
        return {
            f"{unity.package}.{module}": unity.extension
            for unity in (*self.uses, self)
            for module in unity.tables + unity.modules
        }


# Read by setup.py, by the header generator and by the tidy tests. A module may use what any other module
# defines; the order only decides how the joined source reads.
MODULES: tuple[str, ...] = (
    "bits",
    "report",
    "swap",
    "page_alloc",
    "page_io",
    "swap_state",
    "swapfile",
    "mlock",
    "rmap",
    "user_memory",
    "ksm",
    "ksmd",
    "memory",
    "swapin",
    "fork",
    "migrate",
    "follow",
    "vmscan",
    "memcontrol",
    "madvise",
    "madvise_area",
    "huge_memory",
    "khugepaged",
    "gup",
    "mprotect",
    "mremap",
    "task_mmu",
    "shmem",
    "counts",
    "execute",
    "finish",
    "observe",
    "machine",
)

CORE = Unity(
    package="simcore",
    name="_core",
    tables=("constants", "rule_ids", "op_ids", "oracle_ids", "mm_types"),
    modules=MODULES,
)


@dataclass(frozen=True, slots=True)
class JoinedText:
    """Files joined to one text, and for the first line of each: its number there (from 1) and its file."""

    text: str
    starts: tuple[tuple[int, str], ...]

    def locate(self, line: int) -> tuple[str, int]:
        """The file and line that a line of the joined text came from."""
        start, path = max(entry for entry in self.starts if entry[0] <= line)
        return path, line - start + 1


def module_path(package: str, module: str, suffix: str = ".py") -> str:
    """Where a module's file lies, relative to the folder that holds the package."""
    return f"{package}/{module.replace('.', '/')}{suffix}"


def join_sources(unity: Unity, root: Path) -> JoinedText:
    """The one source file of the extension. Raises UnityError where the modules do not fit together."""
    paths = [module_path(unity.package, module) for module in unity.modules]
    sources = {path: (root / path).read_text(encoding="utf-8") for path in paths}
    _check_modules(sources, unity)
    return _join(sources)


def join_headers(unity: Unity, root: Path) -> JoinedText:
    """The one header of the extension, with cimports between modules turned into cimports of extensions."""
    paths = [module_path(unity.package, module, ".pxd") for module in unity.tables + unity.modules]
    headers = {path: (root / path).read_text(encoding="utf-8") for path in paths}
    return _join({path: _redirect_cimports(text, unity) for path, text in headers.items()})


def source_digest(unity: Unity, root: Path) -> str:
    """Digest of everything the extension is made from: "src-" and 16 hex digits.

    The extension carries it as SOURCE_DIGEST, so that a core older than its sources can be told.
    """
    text = join_sources(unity, root).text + join_headers(unity, root).text
    # What it calls into is laid out by the other extension's headers, so it is older than those too.
    text += "".join(source_digest(used, root) for used in unity.uses)
    return "src-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def map_line_directives(c_source: str, joined: dict[str, JoinedText]) -> str:
    """C source whose `#line` directives name the modules instead of the joined files.

    `joined` is keyed by the joined file's name without folders. Debuggers and sanitizers then point at the
    line that was written by hand.
    """

    def mapped(match: re.Match[str]) -> str:
        path, line = joined[match[2]].locate(int(match[1]))
        return f'#line {line} "{path}"'

    names = "|".join(re.escape(name) for name in joined)
    return re.sub(rf'#line (\d+) "(?:[^"\n]*/)?({names})"', mapped, c_source)


def map_messages(messages: str, joined: dict[str, JoinedText]) -> str:
    """Cython's messages with `joined file:line:` turned into `module file:line:`."""

    def mapped(match: re.Match[str]) -> str:
        path, line = joined[match[1]].locate(int(match[2]))
        return f"{path}:{line}:"

    names = "|".join(re.escape(name) for name in joined)
    return re.sub(rf"(?:[^\s:]*/)?({names}):(\d+):", mapped, messages)


def _join(files: dict[str, str]) -> JoinedText:
    starts = []
    parts = []
    line = 1
    for path, text in files.items():
        text = text if text.endswith("\n") else text + "\n"
        starts.append((line, path))
        parts.append(text)
        line += text.count("\n")
    return JoinedText("".join(parts), tuple(starts))


def _redirect_cimports(header: str, unity: Unity) -> str:
    """The header with cimports of extensions; a cimport of the own extension becomes an empty line."""
    owners = unity.owners

    def redirected(match: re.Match[str]) -> str:
        extension = owners.get(match[1], match[1])
        return "" if extension == unity.extension else f"from {extension} cimport {match[2]}"

    return re.sub(r"^from ([\w.]+) cimport (.*)$", redirected, header, flags=re.MULTILINE)


def _check_modules(sources: dict[str, str], unity: Unity) -> None:
    defined_in: dict[str, str] = {}
    for path, text in sources.items():
        for node in ast.parse(text, path).body:
            _check_import(node, path, unity)
            for name in _defined_names(node):
                if name in defined_in:
                    raise UnityError(
                        f"{path}:{node.lineno}: {name!r} is also defined in {defined_in[name]}; modules that"
                        " are compiled as one share their top-level names, so rename one of the two"
                    )
                defined_in[name] = path


def _check_import(node: ast.stmt, path: str, unity: Unity) -> None:
    if not isinstance(node, ast.ImportFrom):
        return
    if node.module == "__future__":
        raise UnityError(
            f"{path}:{node.lineno}: `from __future__` cannot stand in the middle of the joined source;"
            " quote the annotation that needs it"
        )
    if node.module in unity.owners:
        raise UnityError(
            f"{path}:{node.lineno}: `from {node.module} import` would bring the uncompiled module into the"
            " compiled core; move it below `if not cython.compiled:`"
        )


def _defined_names(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            return
