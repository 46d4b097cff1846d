"""Seeds made of seeds: a unit's from its run's and the unit's number."""

import hashlib

SEED_BITS = 63
BIGGEST_SEED = (1 << SEED_BITS) - 1


def unit_seed(run_seed: int, number: int) -> int:
    """The seed of a run's unit, 63 bits; what units of a run draw is unrelated."""
    digest = hashlib.sha256(f"unit {number} of {run_seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") & BIGGEST_SEED
