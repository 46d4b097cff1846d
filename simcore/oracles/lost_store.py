"""A load sees the last store to its page, not zeros, unless the page was given up since.

The failure of the refused patch of 2015: a frame whose contents lived nowhere else is freed, the pte is empty, and
the next access finds the zero page.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=1,
    name="lost-store",
    cls="safety",
    promise="A load sees the last store to its page, not zeros, unless the page was given up since.",
    what="{page} reads zeros: the store of {expected} is lost",
    false_alarms="None known. Zeros after MADV_FREE or MADV_DONTNEED are legal and not reported.",
    canary="canary-discards-dirty-pages",
)
