"""Compiling an agent: once, as what it is made from, and with the compiler's own words when it cannot be."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from guest.build import build_agent
from guest.elf import NotElf, section
from guest.errors import AgentError

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

MAIN = '#include <stdio.h>\n#include "said.h"\nint main(void)\n{\n    puts(said());\n    return 0;\n}\n'
SAID = '#include "said.h"\nconst char *said(void)\n{\n    return "hello";\n}\n'
HEADER = "const char *said(void);\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """An agent of two files that says hello."""
    folder = tmp_path / "src"
    folder.mkdir()
    for name, text in {"main.c": MAIN, "said.c": SAID, "said.h": HEADER}.items():
        (folder / name).write_text(text)
    return folder


def test_all_files_become_one_binary_that_needs_nothing(sources: Path, tmp_path: Path) -> None:
    agent = build_agent(tmp_path / "new" / "cache", sources)
    assert subprocess.run([agent], capture_output=True, text=True, check=True).stdout == "hello\n"
    # The name of the loader, which a program that needs libraries has.
    with pytest.raises(NotElf, match=r"without the section \.interp"):
        section(agent.read_bytes(), ".interp")
    assert [path.name for path in agent.parent.iterdir()] == [agent.name]


def test_it_is_compiled_again_only_when_a_source_changes(sources: Path, tmp_path: Path) -> None:
    agent = build_agent(tmp_path / "cache", sources)
    inode = agent.stat().st_ino
    os.utime(sources / "main.c")
    assert build_agent(tmp_path / "cache", sources).stat().st_ino == inode
    for name, more in {"said.c": "/* */\n", "said.h": "/* */\n"}.items():
        (sources / name).write_text((sources / name).read_text() + more)
        other = build_agent(tmp_path / "cache", sources)
        assert other != agent
        agent = other


def test_the_same_sources_give_the_same_binary_wherever_they_lie(sources: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(sources, tmp_path / "elsewhere" / "other"))
    one, two = build_agent(tmp_path / "a", sources), build_agent(tmp_path / "b", moved)
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())


def test_several_at_once_end_with_one(sources: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        agents = set(pool.map(lambda _: build_agent(tmp_path / "cache", sources), range(4)))
    assert len(agents) == len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "said"), [("int main(void) { return x; }\n", "undeclared"), ("int f(int a) { }\n", "unused")]
)
def test_mistakes_and_warnings_are_told_in_the_compilers_words(
    sources: Path, tmp_path: Path, text: str, said: str
) -> None:
    (sources / "main.c").write_text(text)
    with pytest.raises(AgentError, match=said) as caught:
        build_agent(tmp_path / "cache", sources)
    assert "main.c:1:" in str(caught.value)
    assert not list((tmp_path / "cache").iterdir())


def test_no_sources_and_no_compiler_are_told(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AgentError, match="no sources of the agent"):
        build_agent(tmp_path / "cache", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AgentError, match="install the package gcc"):
        build_agent(tmp_path / "cache", sources)


def test_a_missing_static_library_is_told_with_its_package(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "bin" / "gcc"
    compiler.parent.mkdir()
    # What gcc says of a library that it does not find.
    compiler.write_text('#!/bin/sh\necho "${1#-print-file-name=}"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{compiler.parent}:/usr/bin:/bin")
    with pytest.raises(AgentError, match="install the package libc6-dev"):
        build_agent(tmp_path / "cache", sources)


def test_a_cache_that_cannot_be_written_is_told(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(AgentError, match="choose another cache"):
        build_agent(tmp_path / "cache", sources)
