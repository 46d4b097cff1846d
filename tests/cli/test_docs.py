"""docs/commands.md names every command and every option, and nothing that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.main import mmfuzz


def commands(command: click.Command, path: str, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by what a user types."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}", context)
    else:
        yield path, command


COMMANDS = dict(commands(mmfuzz, "mmfuzz", click.Context(mmfuzz)))
# They run until they are stopped, and what they say is their log.
SERVICES = {"mmfuzz coordinator", "mmfuzz worker"}
EVERY_COMMAND = pytest.mark.parametrize("path", COMMANDS)


@pytest.fixture(scope="module")
def sections(root: Path) -> dict[str, str]:
    """The page's sections by the command in their headings."""
    page = (root / "docs" / "commands.md").read_text("utf-8")
    parts = re.split(r"^### `(.+?)`\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(path: str) -> set[str]:
    """The options of a command, by their long names."""
    return {name for param in COMMANDS[path].params if isinstance(param, click.Option) for name in param.opts}


def heading(path: str, sections: dict[str, str]) -> str:
    """The heading that begins with the command; arguments may follow it."""
    found = [each for each in sections if each == path or each.startswith((f"{path} ", f"{path} ["))]
    assert len(found) == 1, f"docs/commands.md has {found or 'no section'} for `{path}`"
    return found[0]


@EVERY_COMMAND
def test_every_command_has_its_section(path: str, sections: dict[str, str]) -> None:
    assert heading(path, sections)


@EVERY_COMMAND
def test_every_option_is_in_the_section_and_no_other(path: str, sections: dict[str, str]) -> None:
    documented = set(re.findall(r"`(--[a-z-]+)", sections[heading(path, sections)]))
    assert documented - {"--help"} == options(path)


def test_there_is_no_section_of_a_command_that_is_gone(sections: dict[str, str]) -> None:
    headings = {heading(path, sections) for path in COMMANDS}
    assert set(sections) == headings


@EVERY_COMMAND
def test_every_command_has_json_and_every_option_its_help(path: str) -> None:
    assert ("--json" in options(path)) != (path in SERVICES)
    without = [param.name for param in COMMANDS[path].params if isinstance(param, click.Option) and not param.help]
    assert not without
