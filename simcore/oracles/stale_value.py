"""A load never sees an older value of its page than the last store.

A swap slot kept a copy from before the last store, and was believed.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=2,
    name="stale-value",
    cls="safety",
    promise="A load never sees an older value of its page than the last store.",
    what="{page} reads {seen}, an older value than the last store {expected}",
    false_alarms=(
        "Tokens 101 to 103 may be stored more than once; seen again on a page that once held them they count as older."
    ),
    canary="canary-unmap-trusts-slot",
    canary_world="without=gup,mlock,steps",
)
