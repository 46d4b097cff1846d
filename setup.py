"""Build the compiled core: join the modules, run Cython, point the C at our lines, run the C compiler.

The environment variable MMFUZZ_BUILD chooses how:

    auto        compile; where there is no working C compiler say so and install uncompiled (the default)
    compiled    compile; a failure is an error
    uncompiled  do not compile
    sanitize    compile with AddressSanitizer and UndefinedBehaviorSanitizer; a failure is an error

All else about the distribution is in pyproject.toml.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import Cython
from setuptools import Command, Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from fuzzer.unity import ENGINES  # noqa: E402 - needs the line above where the build is isolated
from simcore.errors import SimcoreError  # noqa: E402
from simcore.unity import (  # noqa: E402
    CORE,
    JoinedText,
    Unity,
    join_headers,
    join_sources,
    map_line_directives,
    map_messages,
    source_digest,
)

UNITIES = {unity.extension: unity for unity in (CORE, ENGINES) if unity.modules}

# Where the joined sources and the C made from them lie, relative to ROOT.
JOINED = Path("build") / "unity"

# The core's arithmetic is C's: no bounds checks, no Python division. Types come from the headers, not from
# the annotations, which the uncompiled core keeps as plain int.
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,
    "infer_types": True,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    # The uncompiled twin of a line below `if cython.compiled:`.
    "warn.unreachable": False,
}

C_FLAGS = ["-O3"]
# State arrays are short: a loop over one is cheaper than a call of memset(). And the core is made of many small
# functions, some a bit larger than what gcc inlines by itself. See docs/performance.md.
GCC_FLAGS = ["-fno-tree-loop-distribute-patterns", "--param=max-inline-insns-auto=60"]
if "gcc" in os.environ.get("CC", sysconfig.get_config_var("CC") or ""):
    C_FLAGS += GCC_FLAGS
# Python's own flags make signed overflow wrap, which would hide it from the sanitizer.
SANITIZE_FLAGS = [
    "-O1",
    "-g",
    "-fno-wrapv",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
]

MODES = ("auto", "compiled", "uncompiled", "sanitize")
MODE = os.environ.get("MMFUZZ_BUILD", "auto")
if MODE not in MODES:
    sys.exit(f"MMFUZZ_BUILD is {MODE!r}; it can be one of: {', '.join(MODES)}")


def extensions() -> Iterator[Extension]:
    """The extensions to build: one for each unity that has modules, none in an uncompiled build."""
    for name in UNITIES if MODE != "uncompiled" else ():
        sanitize = MODE == "sanitize"
        yield Extension(
            name,
            sources=[str(JOINED / f"{name.replace('.', '/')}.c")],
            depends=["setup.py"],
            extra_compile_args=SANITIZE_FLAGS if sanitize else C_FLAGS,
            extra_link_args=SANITIZE_FLAGS if sanitize else [],
            optional=MODE == "auto",
        )


class BuildCore(build_ext):
    """Makes each extension's C file, compiles it, and in mode `auto` goes on without it when that fails."""

    def get_source_files(self) -> list[str]:
        """None: the C files are made during the build and belong in no source distribution."""
        return []

    def run(self) -> None:
        """Build all, and say it in one line when the simulator will run uncompiled."""
        self.failed: list[str] = []
        super().run()
        if self.inplace and MODE == "uncompiled":
            self.remove_built(*UNITIES)
        if self.failed:
            print(
                f"mmfuzz: {self.compiler.compiler_so[0]} did not compile {', '.join(self.failed)}; the"
                " simulator will run uncompiled, much slower. What it takes is a C compiler and Python's"
                " headers (Debian: gcc and python3-dev)."
            )

    def build_extension(self, ext: Extension) -> None:
        """Build one extension; no older build of it stays behind when that fails."""
        try:
            write_c(UNITIES[ext.name])
        except SimcoreError as error:
            sys.exit(f"mmfuzz: {error}")
        try:
            super().build_extension(ext)
        except (BaseError, CCompilerError):
            self.remove_built(ext.name)
            if MODE != "auto":
                raise
            self.failed.append(ext.name)

    def remove_built(self, *names: str) -> None:
        """Remove what was built of these extensions, in the build folder and in place."""
        for name in names:
            Path(self.get_ext_fullpath(name)).unlink(missing_ok=True)
            Path(self.get_ext_filename(name)).unlink(missing_ok=True)


class WriteHeaders(Command):
    """Writes the modules of numbers and the headers of all core modules again."""

    description = "write the .pxd headers and the *_ids.py modules from the sources"
    user_options: ClassVar[list[tuple[str, str, str]]] = []

    def initialize_options(self) -> None:
        """There are no options."""

    def finalize_options(self) -> None:
        """There are no options."""

    def run(self) -> None:
        """Write what differs and say which files those were."""
        from simcore.headers import headers, update
        from simcore.ids import id_modules

        # The numbers come first: the headers are made from them.
        changed = update(id_modules(ROOT))
        try:
            for unity in (CORE, ENGINES):
                changed += update(headers(unity, ROOT))
        except SimcoreError as error:
            sys.exit(f"mmfuzz: {error}")
        # The pages are made from the kernels, which are made of the numbers and the rules.
        from guest.op_codes import HEADER, op_codes_header
        from simcore.pages import pages

        changed += update(pages(ROOT))
        changed += update({ROOT / HEADER: op_codes_header()})
        for path in changed:
            print(f"wrote {path.relative_to(ROOT)}")


def write_c(unity: Unity) -> None:
    """Make the C file of a unity, unless it is there already and was made from the same.

    An unchanged C file keeps its time stamp, so that it is not compiled again.
    """
    folder = JOINED / unity.package
    source, header = folder / f"{unity.name}.py", folder / f"{unity.name}.pxd"
    c_file = source.with_suffix(".c")
    joined = {source.name: join_sources(unity, ROOT), header.name: join_headers(unity, ROOT)}
    files = {
        folder / "__init__.py": "",
        source: joined[source.name].text + made_from(unity),
        header: joined[header.name].text,
    }
    if c_file.exists() and all(path.exists() and path.read_text("utf-8") == text for path, text in files.items()):
        return
    folder.mkdir(parents=True, exist_ok=True)
    c_file.unlink(missing_ok=True)
    for path, text in files.items():
        path.write_text(text, "utf-8")
    c_file.write_text(map_line_directives(run_cython(source, unity, joined), joined), "utf-8")


def made_from(unity: Unity) -> str:
    """Last lines of the joined source: what the extension says of its origin, and what else C depends on."""
    return f'SOURCE_DIGEST = "{source_digest(unity, ROOT)}"\n# Cython {Cython.__version__}, {DIRECTIVES}\n'


def run_cython(source: Path, unity: Unity, joined: dict[str, JoinedText]) -> str:
    """The C source that Cython makes. Its messages name the modules; an error in one ends the build."""
    raw = source.with_suffix(".raw.c")
    command = [sys.executable, "-m", "cython", "--line-directives", "-I", str(JOINED)]
    command += ["-X", ",".join(f"{name}={value}" for name, value in DIRECTIVES.items())]
    command += ["--module-name", unity.extension, "-o", str(raw), str(source)]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(map_messages(done.stderr, joined))
    if done.returncode:
        sys.exit(f"mmfuzz: Cython refuses the sources of {unity.extension}; see the lines above")
    c_source = raw.read_text("utf-8")
    raw.unlink()
    return c_source


setup(ext_modules=list(extensions()), cmdclass={"build_ext": BuildCore, "headers": WriteHeaders})
