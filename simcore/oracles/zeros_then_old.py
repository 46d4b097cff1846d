"""Once a page given up with MADV_FREE was read as zeros, its old contents do not come back.

MADV_FREE allows old contents or zeros, but not first the one and then the other: the discard happens once.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=6,
    name="zeros-then-old",
    cls="safety",
    promise="Once a page given up with MADV_FREE was read as zeros, its old contents do not come back.",
    what="{page} reads {seen} again after it had read as zeros",
    false_alarms='None known.',
    canary="",
)
