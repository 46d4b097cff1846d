"""Reproducers compiled by real compilers, and run on the kernel that is there, where that can be done without harm."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fuzzer.reproducer import Story, make_source
from fuzzer.reproducer.steps import CALLS
from simcore.constants import WHOLE_AREA
from simcore.ops import OP_BY_NAME, ArgKind
from simcore.trace import Op, Trace
from tests.fuzzer.reproducer.drawing import WORLD, draw_traces, trace_of

STRICT = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
VALUES: dict[ArgKind, int] = {"process": 0, "page": 0, "token": 1, "memcg": 0}
# A page that the op does something to.
PAGES = {"punch": WORLD.pages, "truncate": WORLD.pages, "collapse": WHOLE_AREA, "split": WHOLE_AREA}

pytestmark = pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="reproducers are run as root")

# What changes nothing but the memory of the program's own processes.
HARMLESS = (
    "write 0 0 1", "fork 0", "write 1 0 2", "gup_write 0 1 3", "gup_read 0 1", "mprotect_ro 0 1", "gup_write 0 1 4",
    "mprotect_rw 0 1", "mremap 0 1", "write 0 4 5", "read 1 4", "read 1 6", "mlock 1 6", "write 0 4 6", "write 1 7 7",
    "punch 0 4", "truncate 0 5", "madv_dontneed 1 0", "madv_dontneed 1 7", "fork 1", "write 2 2 8", "exit 1",
    "mremap 0 1", "munlock 0 6", "read 0 0",
)  # fmt: skip


def harmless_trace() -> Trace:
    """A trace for any machine."""
    ops = []
    for text in HARMLESS:
        name, *args = text.split()
        ops.append(Op(name, tuple(map(int, args))))
    return trace_of(*ops, world=WORLD.without(["thp"]))


def build(trace: Trace, folder: Path, *options: str, compiler: str = "") -> Path:
    """The trace's program. A warning is an error."""
    source, program = folder / "repro.c", folder / "repro"
    source.write_text(make_source(trace, Story("a test", "nothing", "safety")), "ascii")
    done = subprocess.run(
        [compiler or COMPILERS[0], *STRICT, *options, "-o", str(program), str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return program


def run(program: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run([str(program), *options], capture_output=True, text=True, check=False, timeout=120)


def op_of(name: str) -> Op:
    """An op of the name that can be driven in WORLD."""
    args = tuple(PAGES.get(name, 0) if kind == "page" else VALUES[kind] for kind in OP_BY_NAME[name].args)
    return Op(name, args)


@pytest.mark.parametrize("name", CALLS)
def test_every_op_compiles_alone_without_a_warning(name: str, tmp_path: Path) -> None:
    build(trace_of(op_of(name)), tmp_path, "-fsyntax-only")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_all_ops_compile_together(compiler: str, tmp_path: Path) -> None:
    build(trace_of(*map(op_of, CALLS)), tmp_path, compiler=compiler)


def test_no_ops_and_a_static_program_compile(tmp_path: Path) -> None:
    build(trace_of(), tmp_path)
    build(trace_of(*map(op_of, CALLS)), tmp_path, "-static")


@pytest.mark.parametrize("seed", range(3))
def test_random_traces_compile_without_a_warning(seed: int, tmp_path: Path) -> None:
    for trace in draw_traces(seed, 12):
        build(trace, tmp_path, "-fsyntax-only", compiler=COMPILERS[seed % len(COMPILERS)])


@needs_root
def test_a_trace_in_which_nothing_is_lost_ends_with_0(tmp_path: Path) -> None:
    done = run(build(harmless_trace(), tmp_path), "-n", "20")
    assert (done.returncode, done.stdout) == (0, "every value was right in 20 rounds\n"), done.stderr


@needs_root
def test_verbose_tells_each_op_and_what_the_kernel_refused(tmp_path: Path) -> None:
    done = run(build(harmless_trace(), tmp_path), "-v", "-n", "1")
    assert "  op 3 (write 1 0 2)\n" in done.stdout
    assert "  op 7 (gup_write 0 1 4)\n    Bad address\n" in done.stdout


@needs_root
def test_a_wrong_value_is_told_and_ends_with_1(tmp_path: Path) -> None:
    done = run(build(trace_of(Op("write", (0, 0, 7)), Op("read", (0, 0))), tmp_path, "-DSELFTEST"), "-n", "3")
    assert done.returncode == 1
    assert "round 2, op 2 (read 0 0): P0 page 0: expected 6, seen 7\n" in done.stdout
    assert "WRONG: in 3 of 3 rounds" in done.stdout


@needs_root
def test_without_root_it_ends_with_2_and_says_so(tmp_path: Path) -> None:
    program = build(harmless_trace(), tmp_path)
    with TemporaryDirectory() as folder:
        # Others may not look into pytest's folders.
        Path(folder).chmod(0o755)
        copied = shutil.copy(program, folder)
        done = subprocess.run([copied], capture_output=True, text=True, check=False, user=65534)
    assert done.returncode == 2
    assert "this must be run as root" in done.stderr


def test_a_wrong_option_ends_with_2(tmp_path: Path) -> None:
    done = run(build(harmless_trace(), tmp_path), "-n", "many")
    assert done.returncode == 2
    assert "usage:" in done.stderr


@needs_root
def test_a_machine_that_lacks_something_ends_with_2_and_says_what(tmp_path: Path) -> None:
    nodes = Path("/sys/devices/system/node/has_memory")
    if nodes.exists() and nodes.read_text().strip() != "0":
        pytest.skip("this machine has more than one NUMA node")
    done = run(build(trace_of(Op("write", (0, 0, 1)), Op("migrate", (0, 0))), tmp_path))
    assert done.returncode == 2
    assert "one NUMA node" in done.stderr
    assert "numa=fake=2" in done.stderr
