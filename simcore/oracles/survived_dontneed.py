"""After MADV_DONTNEED returned, the page reads as zeros until the next store.

Data outlive the call that was to drop them.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=5,
    name="survived-dontneed",
    cls="safety",
    promise="After MADV_DONTNEED returned, the page reads as zeros until the next store.",
    what="{page} reads {seen} after MADV_DONTNEED",
    false_alarms='None known.',
    canary="",
)
