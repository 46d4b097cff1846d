"""No swap slot counts more users than there are.

The other side of the count identity for swap.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=15,
    name="leaked-slot",
    cls="cost",
    promise="No swap slot counts more users than there are.",
    what="slot {seen} counts users that do not exist: it is never freed",
    false_alarms="None known.",
    canary="canary-zap-forgets-slot",
    canary_world="without=swapoff",
)
