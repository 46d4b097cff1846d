"""The state of an engine: what it draws from, what it drew, and what it has counted."""

from typing import Annotated

from fuzzer.engine_constants import FAILURE_KEYS, MAX_LENGTH, MAX_OPS, OP_TABLE_SIZE


class EngineState:
    """One engine at work on one machine. Sequences are numbered; each is drawn from (seed, number) alone."""

    # --- the unit
    seed: Annotated[int, "uint64_t"]
    swarm: Annotated[int, "int"]
    length_max: Annotated[int, "int"]
    samples_per_key: Annotated[int, "int"]
    checks: Annotated[int, "int"]
    weights: Annotated[list[int], "int16_t", MAX_OPS]
    takes: Annotated[list[int], "uint8_t", MAX_OPS]
    max_processes: Annotated[int, "int"]
    max_pages: Annotated[int, "int"]
    max_frames: Annotated[int, "int"]
    max_slots: Annotated[int, "int"]
    max_memcgs: Annotated[int, "int"]
    max_mergeable: Annotated[int, "int"]
    max_file: Annotated[int, "int"]
    max_huge: Annotated[int, "int"]
    advised: Annotated[int, "int"]
    max_batch: Annotated[int, "int"]
    sync_io: Annotated[int, "int"]
    features: Annotated[int, "int"]

    # --- the sequence being drawn
    random: Annotated[int, "uint64_t"]
    op_table: Annotated[list[int], "uint8_t", OP_TABLE_SIZE]
    last_first: Annotated[int, "int"]
    last_second: Annotated[int, "int"]
    next_token: Annotated[int, "int"]
    words: Annotated[list[int], "uint32_t", MAX_LENGTH]
    nr_words: Annotated[int, "int"]

    # --- what was counted
    failures: Annotated[list[int], "int64_t", FAILURE_KEYS]
    sequence: Annotated[int, "int64_t"]
    ops: Annotated[int, "int64_t"]
    digest: Annotated[int, "uint64_t"]

    def __init__(self) -> None:
        for name, note in EngineState.__annotations__.items():
            lengths = note.__metadata__[1:]
            setattr(self, name, [0] * lengths[0] if lengths else 0)
