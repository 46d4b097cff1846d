"""Contents that were given up and are gone do not come back.

MADV_DONTNEED drops a page at once. MADV_FREE allows old contents or zeros until the next store, but not first the
zeros and then the old contents: the discard happens once.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=5,
    name="resurrected",
    cls="safety",
    promise=(
        "After MADV_DONTNEED returned, and after a page given up with MADV_FREE was read as zeros, its old contents"
        " do not come back."
    ),
    what="{page} reads {seen}, which was dropped: it had to read as zeros",
    false_alarms="None known.",
    canary="canary-dontneed-skips-swapped",
)
