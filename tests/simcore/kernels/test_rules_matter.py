"""Every rule decides something: for each there is a short trace whose outcome changes with one of its rows.

The traces lie in rules_matter.json: a rule, one row of it, a kernel, a world and ops. They were found by random search
and made smaller; a rule that is renamed or gets other bits needs its entry changed.
"""

import json
from pathlib import Path

import pytest

from simcore.kernel import with_rows
from simcore.kernel_files import find_kernel
from simcore.rules import RULES, Rule, offset
from simcore.run import run_trace
from simcore.trace import HEADER, Trace, parse_trace

ENTRIES = json.loads(Path(__file__).with_name("rules_matter.json").read_text("utf-8"))


def row_number(rule: Rule, bits: dict[str, int]) -> int:
    assert set(bits) == set(rule.bits)
    return sum(bits[name] << i for i, name in enumerate(rule.bits))


def trace_of(rule: Rule) -> Trace:
    """The rule's trace."""
    entry = ENTRIES[rule.name]
    return parse_trace("\n".join([HEADER, f"kernel {entry['kernel']}", f"world {entry['world']}", *entry["ops"]]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_changes_the_outcome_of_a_trace(rule: Rule) -> None:
    entry = ENTRIES[rule.name]
    kernel = find_kernel(entry["kernel"])
    trace = trace_of(rule)
    row = offset(rule) + row_number(rule, entry["row"])
    before = run_trace(trace, kernel)
    assert before.rows[row], "the trace does not use the row"
    after = run_trace(trace, with_rows(kernel, {row: not kernel.rows[row]}))
    assert before.digest != after.digest


@pytest.mark.needs_compiled
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_compiled_core_decides_by_the_rule_as_the_plain_modules_do(rule: Rule) -> None:
    kernel = find_kernel(ENTRIES[rule.name]["kernel"])
    compiled, plain = (run_trace(trace_of(rule), kernel, log=True, compiled=how) for how in (True, False))
    assert compiled == plain
