"""The first file system of a guest: the agent as /init, and the modules that it loads."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from guest.cpio import Entry, archive, character_device, file, folder
from guest.kmod import Module

# Where the agent mounts what the kernel shows of itself.
FOLDERS = ("dev", "modules", "proc", "sys", "tmp")
_NO_EXTRA: Mapping[str, bytes] = {}


def build_initramfs(agent: bytes, modules: Sequence[Module], extra: Mapping[str, bytes] = _NO_EXTRA) -> bytes:
    """The cpio archive with the agent and the modules, in the order in which they are to be loaded.

    The modules are /modules/00-name.ko and so on: sorted by name they are in that order, whatever their number.
    `extra` are more files, by their paths without the leading slash; all are executable.
    """
    return archive(_entries(agent, modules, extra))


def _entries(agent: bytes, modules: Sequence[Module], extra: Mapping[str, bytes]) -> Iterator[Entry]:
    yield from (folder(name) for name in FOLDERS)
    # The kernel opens it for the agent's stdin, stdout and stderr before anything is mounted.
    yield character_device("dev/console", 5, 1)
    yield file("init", agent, 0o755)
    width = max(2, len(str(len(modules) - 1)))
    for number, module in enumerate(modules):
        yield file(f"modules/{number:0{width}}-{module.name}.ko", module.content)
    made = set(FOLDERS)
    for path, content in sorted(extra.items()):
        for parent in _parents(path):
            if parent not in made:
                made.add(parent)
                yield folder(parent)
        yield file(path, content, 0o755)


def _parents(path: str) -> Iterator[str]:
    """The folders above a file, the outermost first."""
    yield from (str(parent) for parent in reversed(PurePosixPath(path).parents) if parent.name)
