"""Every fault ends.

The fault is handled, the access is made again, and faults again, without end.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=8,
    name="stuck-fault",
    cls="liveness",
    promise="Every fault ends.",
    what="the fault on {page} comes back for ever",
    false_alarms="A fault that 64 rounds of memory pressure undo each time would be taken for stuck.",
    canary="canary-swapin-never-installs",
)
