"""A page is not written to a slot that already holds its contents.

A page swapped in and not stored to can be dropped without I/O as long as its slot is kept.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=13,
    name="needless-write",
    cls="cost",
    promise="A page is not written to a slot that already holds its contents.",
    what="{page} is written to swap again though its slot holds the same contents",
    false_alarms="None known: a store of the same value counts as a store.",
    canary="canary-swapin-dirties-page",
)
