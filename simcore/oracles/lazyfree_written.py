"""A page that its only user gave up with MADV_FREE is not sent to swap.

The write of contents that nobody wants, seen as it happens in a trace that reclaims.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=12,
    name="lazyfree-written",
    cls="cost",
    promise="A page that its only user gave up with MADV_FREE is not sent to swap.",
    what="{page} was given up with MADV_FREE, and gets a swap slot and a write",
    false_alarms="The same conditions as never_discardable.",
    canary="canary-cgroup-writes-freed",
    canary_world="memcgs=1",
)
