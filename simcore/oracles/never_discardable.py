"""A page that its only user gave up with MADV_FREE, and did not store to since, can be discarded.

At the end of the trace memory pressure is applied to a copy of the state. The page must be gone then: written to swap
or still there, it costs what MADV_FREE was called to save. This is the waste that the refused patch set out to cure.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=11,
    name="never-discardable",
    cls="cost",
    promise="A page that its only user gave up with MADV_FREE, and did not store to since, can be discarded.",
    what="{page} was given up with MADV_FREE, but reclaim can never discard it",
    false_alarms=(
        "Asked only of a page that was mapped once, unmerged and idle when it was given up, and while "
        "swap has room: without free slots these kernels do not scan anonymous pages."
    ),
    canary="canary-keeps-freed-pages",
)
