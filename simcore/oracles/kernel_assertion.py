"""The kernel's own assertions hold.

VM_BUG_ON() and what the kernel prints as bad page state or bad swap file entry.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=7,
    name="kernel-assertion",
    cls="safety",
    promise="The kernel's own assertions hold.",
    what="the kernel stops: {bug}",
    false_alarms='None: the assertion is in the kernel.',
    canary="lazyfree-in-swapcache",
)
