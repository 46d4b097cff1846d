"""Which installations compute the same results from the same unit.

A worker serves a campaign only if both have the same results version. It has two parts: the number below, raised by
hand whenever any unit's result changes (a test holds results against it), and a digest of the tables of ops, rules,
features and oracles, from which a unit's result is read.
"""

import hashlib

from simcore.features import FEATURES
from simcore.ops import OPS
from simcore.oracles import ORACLES
from simcore.rules import RULES

RESULTS_NUMBER = 2


def _tables() -> str:
    parts = [f"{rule.name} {' '.join(rule.bits)}" for rule in RULES]
    parts += [f"{op.name} {op.code} {op.weight}" for op in OPS]
    parts += list(FEATURES)
    parts += [f"{oracle.name} {oracle.code}" for oracle in ORACLES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


RESULTS_VERSION = f"results-{RESULTS_NUMBER}-{_tables()}"
