"""Build a kernel with a bug in it, or without one, from Debian's source of Linux 6.1, and keep it as a target.

    python -m guest.kernel.build --bug discard --folder ~/.cache/mmfuzz/kernel-source --jobs 2

Nothing is installed. The source (1.5 GB unpacked) and the build (200 MB) stay in the folder, so that the next bug takes
seconds instead of minutes.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from guest.errors import GuestError, KernelBuildError
from guest.kernel.bugs import BUGS, put_in, take_out, take_out_left_over
from guest.kernel.config import config_lines, missing_options

PACKAGE = "linux-source-6.1"
NO_BUG = "none"
# Programs, and the headers of a library, by the Debian package that has them.
PROGRAMS = {
    "apt-get": "apt", "dpkg-deb": "dpkg", "tar": "tar", "xz": "xz-utils", "gcc": "gcc", "make": "make", "flex": "flex",
    "bison": "bison", "bc": "bc", "lz4": "lz4",
}  # fmt: skip
HEADERS = {"gelf.h": "libelf-dev"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m guest.kernel.build", description=__doc__.splitlines()[0])
    parser.add_argument("--bug", choices=[*BUGS, NO_BUG], default="discard", help="what is put in; none: nothing")
    parser.add_argument("--folder", type=Path, required=True, help="where source and build are kept")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at once")
    given = parser.parse_args(arguments)
    try:
        name = "seeded-" + given.bug
        image = build(given.bug, given.folder.absolute(), given.jobs, name)
        add_target(name, image)
    except GuestError as error:
        sys.stderr.write(f"seeded-kernel: {error}\n")
        return 1
    return 0


def build(bug: str, folder: Path, jobs: int, name: str) -> Path:
    """The bzImage of the source with that bug; the source itself is left as it came."""
    check_tools()
    source = get_source(folder)
    take_out_left_over(source)
    output = folder / "build"
    configure(source, output, name)
    if bug == NO_BUG:
        return make_image(source, output, jobs)
    say(f"{BUGS[bug].file}: {BUGS[bug].effect}")
    put_in(BUGS[bug], source)
    try:
        return make_image(source, output, jobs)
    finally:
        take_out(BUGS[bug], source)


def check_tools() -> None:
    """KernelBuildError with the packages to install if something to build with is not there."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    missing += [package for header, package in HEADERS.items() if not has_header(header)]
    if missing:
        raise KernelBuildError(f"missing here: {' '.join(missing)}; as root: apt-get install {' '.join(missing)}")


def has_header(name: str) -> bool:
    """Whether the compiler finds a header; not if there is no compiler."""
    if shutil.which("gcc") is None:
        return False
    command = ["gcc", "-E", "-"]
    return (
        subprocess.run(command, input=f"#include <{name}>\n".encode(), capture_output=True, check=False).returncode == 0
    )


def get_source(folder: Path) -> Path:
    """The unpacked source, downloaded by apt once."""
    source = folder / PACKAGE
    if (source / "Makefile").exists():
        return source
    work = folder / "package"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    say(f"downloading {PACKAGE}, 139 MB")
    run(["apt-get", "download", PACKAGE], work)
    package = next(work.glob("*.deb"))
    say("unpacking it")
    run(["dpkg-deb", "-x", str(package), str(work)], work)
    run(["tar", "-xf", str(next(work.rglob("*.tar.xz"))), "-C", str(work)], work)
    # Moved when it is whole, so that what was cut short is not taken for a source.
    (work / PACKAGE).rename(source)
    shutil.rmtree(work)
    return source


def configure(source: Path, output: Path, name: str) -> None:
    """Write the build's .config. KernelBuildError when what the agent needs did not get into it."""
    output.mkdir(parents=True, exist_ok=True)
    fragment = output / "mmfuzz.config"
    text = config_lines(name)
    if fragment.exists() and fragment.read_text("utf-8") == text and (output / ".config").exists():
        return
    say("configuring")
    fragment.write_text(text, "utf-8")
    make = ["make", "-C", str(source), f"O={output}"]
    run([*make, "tinyconfig"], output)
    run([str(source / "scripts/kconfig/merge_config.sh"), "-m", ".config", fragment.name], output)
    run([*make, "olddefconfig"], output)
    missing = missing_options((output / ".config").read_text("utf-8"))
    if missing:
        fragment.unlink()
        raise KernelBuildError(f"the configuration lacks {', '.join(missing)}")


def make_image(source: Path, output: Path, jobs: int) -> Path:
    """Compile; the path of the bzImage."""
    say(f"compiling with {jobs} jobs, some minutes the first time")
    run(["make", "-C", str(source), f"O={output}", f"-j{jobs}", "bzImage"], output)
    return output / "arch/x86/boot/bzImage"


def add_target(name: str, image: Path) -> None:
    """Keep the kernel as a target, in place of an older one of that name."""
    mmfuzz = [sys.executable, "-m", "cli.main", "target"]
    subprocess.run([*mmfuzz, "remove", name], capture_output=True, check=False)
    run([*mmfuzz, "add", name, str(image)], Path.cwd())
    say(f"{name} is a target: mmfuzz target fuzz {name} --seconds 60")


def run(command: Sequence[str], folder: Path) -> None:
    """Run a program there. KernelBuildError with its last words if it fails."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise KernelBuildError(f"{' '.join(command)} failed: {'; '.join(words)}")


def say(text: str) -> None:
    """Tell what is being done."""
    sys.stdout.write(f"seeded-kernel: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
