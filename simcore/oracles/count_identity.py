"""No page or slot has fewer references counted than there are.

mapcount, refcount and swap count are held against the ptes after every op. A count that is too low frees a page
or slot that is in use. One that is too high leaks it, which is a matter of cost.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=7,
    name="count-identity",
    cls="safety",
    promise="No page or slot has fewer references counted than there are.",
    what="{object} counts fewer references than there are",
    false_alarms="None known.",
    canary="canary-fork-forgets-slot",
)
