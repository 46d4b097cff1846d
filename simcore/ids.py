"""The numbers of rules, ops and oracles as modules of constants, which the compiled core can use at no cost.

The registries are the truth; rule_ids.py, op_ids.py and oracle_ids.py are written from them by `make headers`
and committed. The registries must therefore not import core modules, which import these.
"""

from collections.abc import Iterable
from pathlib import Path

from simcore.ops import OPS
from simcore.oracles import ORACLES
from simcore.rules import RULES, TOTAL_ROWS, offset


def id_modules(root: Path) -> dict[Path, str]:
    """The text of each module of numbers, by the file it belongs in. Writes nothing."""
    rules = [*((f"R_{rule.name}", offset(rule)) for rule in RULES), ("TOTAL_ROWS", TOTAL_ROWS)]
    of_process = sum(1 << op.code for op in OPS if op.args[:1] == ("process",))
    without_page = sum(1 << op.code for op in OPS if op.args[:1] == ("process",) and "page" not in op.args)
    ops = [
        *((f"OP_{op.name}", op.code) for op in OPS),
        ("OPS_OF_A_PROCESS", of_process),
        ("OPS_WITHOUT_PAGE", without_page),
        ("LAST_OP", OPS[-1].code),
    ]
    last_safety = max(oracle.code for oracle in ORACLES if oracle.cls == "safety")
    oracles = [
        *((f"ORACLE_{oracle.name}", oracle.code) for oracle in ORACLES),
        ("LAST_SAFETY_ORACLE", last_safety),
    ]
    return {
        root / "simcore" / "rule_ids.py": _module("Each rule's first row in the flat table.", "rules", rules),
        root / "simcore" / "op_ids.py": _module("The code of each op in a trace word.", "ops", ops),
        root / "simcore" / "oracle_ids.py": _module("The code of each oracle.", "oracles", oracles),
    }


def _module(title: str, registry: str, numbers: Iterable[tuple[str, int]]) -> str:
    lines = [f'"""{title} Written from simcore.{registry} by `make headers`."""', ""]
    lines += [f"{name.upper().replace('-', '_')} = {number}" for name, number in numbers]
    return "\n".join(lines) + "\n"
