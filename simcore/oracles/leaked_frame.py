"""No page counts more references than there are.

The other side of the count identity: the frame is lost until reboot.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=14,
    name="leaked-frame",
    cls="cost",
    promise="No page counts more references than there are.",
    what="{object} counts references that nobody holds: the frame is never freed",
    false_alarms="None known.",
    canary="canary-cow-forgets-put",
)
