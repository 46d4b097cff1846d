"""The ops as the agent knows them: a header written from simcore's table by `make headers`."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from simcore.ops import OPS, OpSpec

HEADER = Path("guest") / "src" / "op_codes.h"


def op_codes_header() -> str:
    """The text of op_codes.h: the code of each op that userspace can drive, and who takes a process or a page."""
    driven = [op for op in OPS if op.guest]
    lines = [
        "/* Written from simcore/ops.py by `make headers`; edit that instead. */",
        "#ifndef OP_CODES_H",
        "#define OP_CODES_H",
        "",
        "enum op_code {",
        *(f"\tOP_{op.name.upper()} = {op.code}," for op in driven),
        "};",
        "",
        "/* Bit n: the op of code n takes a process, or a page. */",
        f"#define OP_HAS_PROCESS {_mask(lambda op: 'process' in op.args):#x}ull",
        f"#define OP_HAS_PAGE {_mask(lambda op: 'page' in op.args):#x}ull",
        f'#define OP_TABLE_DIGEST "{op_table_digest()}"',
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def op_table_digest() -> str:
    """What host and guest must agree on: codes, names and arguments of the ops that a guest drives."""
    rows = [f"{op.code} {op.name} {' '.join(op.args)}" for op in OPS if op.guest]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def _mask(has: Callable[[OpSpec], bool]) -> int:
    return sum(1 << op.code for op in OPS if op.guest and has(op))
