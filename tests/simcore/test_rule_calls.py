"""The core asks every rule, and hands it its bits in the order of its declaration.

A rule's bits travel by position: `rule2(s, R_FORK_WRITE_PROTECTS, pte_dirty, swapcache)`. Two bits exchanged would be
a rule that means something else and no error anywhere, so the names of the variables must be the names of the bits.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simcore.rules import RULE_BY_NAME, RULES
from simcore.unity import MODULES


@dataclass(frozen=True, slots=True)
class RuleCall:
    """One question to a rule: where it stands, which function is called, of which rule, with which arguments."""

    place: str
    function: str
    rule: str
    arguments: tuple[str, ...]


def calls_in(path: Path) -> Iterator[RuleCall]:
    """Every ruleN() call of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[_, rule, *bits]) if name.rstrip("0123456789") == "rule":
                arguments = tuple(ast.unparse(bit).rstrip("_") for bit in bits)
                yield RuleCall(f"{path.name}:{node.lineno}", name, ast.unparse(rule), arguments)


@pytest.fixture(scope="module")
def calls(root: Path) -> list[RuleCall]:
    """Every question that the core puts to a rule."""
    return [call for module in MODULES for call in calls_in(root / "simcore" / f"{module}.py")]


def test_every_call_names_a_rule(calls: list[RuleCall]) -> None:
    known = {f"R_{rule.name.upper()}" for rule in RULES}
    assert not [call for call in calls if call.rule not in known]


def test_arguments_are_the_bits_of_the_rule_in_order(calls: list[RuleCall]) -> None:
    wrong = [
        f"{call.place}: {call.rule} looks at {bits}, and is given {call.arguments}"
        for call in calls
        if call.arguments != (bits := RULE_BY_NAME[call.rule.removeprefix("R_").lower()].bits)
    ]
    assert not wrong, "\n".join(wrong)


def test_function_takes_as_many_bits_as_the_rule_has(calls: list[RuleCall]) -> None:
    assert not [call for call in calls if call.function != f"rule{len(call.arguments)}"]


def test_every_rule_is_asked(calls: list[RuleCall]) -> None:
    asked = {call.rule for call in calls}
    assert not [rule.name for rule in RULES if f"R_{rule.name.upper()}" not in asked]


def test_rules_are_looked_up_nowhere_else(root: Path) -> None:
    others = [
        f"{module}.py:{node.lineno}"
        for module in MODULES
        for node in ast.walk(ast.parse((root / "simcore" / f"{module}.py").read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "rule_row" and module != "bits"
    ]
    assert not others
