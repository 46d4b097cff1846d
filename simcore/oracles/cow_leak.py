"""A store of one process is never seen by another that shared the page by fork.

Copy on write did not copy.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=4,
    name="cow-leak",
    cls="safety",
    promise="A store of one process is never seen by another that shared the page by fork.",
    what="{page} reads {seen}, stored by the other process after the fork; expected {expected}",
    false_alarms=(
        "Which side leaked is told from the time of the store; with three processes the wrong pair may be named."
    ),
    canary="canary-fork-keeps-write",
    canary_world="processes=2 without=gup,ksm",
)
