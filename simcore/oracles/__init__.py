"""The oracles: one file each, in the order of their codes (safety, liveness, cost)."""

from simcore.oracles import (
    count_identity,
    cow_leak,
    foreign_value,
    kernel_assertion,
    lazyfree_written,
    leaked_frame,
    leaked_slot,
    lost_store,
    needless_write,
    never_discardable,
    resurrected,
    stale_value,
    stuck_fault,
    stuck_path,
    stuck_swapoff,
)
from simcore.oracles.declaration import Oracle, OracleClass

ORACLES: tuple[Oracle, ...] = (
    lost_store.ORACLE,
    stale_value.ORACLE,
    foreign_value.ORACLE,
    cow_leak.ORACLE,
    resurrected.ORACLE,
    kernel_assertion.ORACLE,
    count_identity.ORACLE,
    stuck_fault.ORACLE,
    stuck_path.ORACLE,
    stuck_swapoff.ORACLE,
    never_discardable.ORACLE,
    lazyfree_written.ORACLE,
    needless_write.ORACLE,
    leaked_frame.ORACLE,
    leaked_slot.ORACLE,
)
ORACLE_BY_NAME: dict[str, Oracle] = {oracle.name: oracle for oracle in ORACLES}
ORACLE_BY_CODE: dict[int, Oracle] = {oracle.code: oracle for oracle in ORACLES}

__all__ = ["ORACLES", "ORACLE_BY_CODE", "ORACLE_BY_NAME", "Oracle", "OracleClass"]
