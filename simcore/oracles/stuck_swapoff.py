"""swapoff ends.

A slot that swapoff reads again and again without its count coming to zero.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=10,
    name="stuck-swapoff",
    cls="liveness",
    promise="swapoff ends.",
    what="swapoff goes round in circles on slot {seen}",
    false_alarms="None known.",
    canary="canary-swapoff-misses-soft-dirty",
)
