"""Files and functions stay small enough to be read at once."""

import ast
from pathlib import Path

HAND_WRITTEN = {".py", ".pyx", ".c", ".h", ".html", ".css", ".js"}
LONGEST_FILE = 600
LONGEST_FUNCTION = 80


def test_no_file_is_longer_than_a_reader_keeps_in_mind(project_files: tuple[Path, ...], root: Path) -> None:
    lengths = {
        path: len(path.read_text("utf-8").splitlines())
        for path in project_files
        if path.suffix in HAND_WRITTEN and not path.name.endswith("_ids.py")
    }
    long = [f"{path.relative_to(root)}: {count} lines" for path, count in lengths.items() if count > LONGEST_FILE]
    assert not long, f"longer than {LONGEST_FILE} lines; is each one idea?\n" + "\n".join(long)


def test_no_function_is_a_program(sources: tuple[Path, ...], root: Path) -> None:
    long = []
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = (node.end_lineno or node.lineno) - node.lineno + 1
                if count > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(root)}:{node.lineno}: {node.name}, {count} lines")
    assert not long, f"longer than {LONGEST_FUNCTION} lines:\n" + "\n".join(long)
