"""A load never sees bytes that were not stored to its page: another page's, or a slot nobody wrote.

Other users' data, or what an earlier owner of a swap slot left there.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=3,
    name="foreign-value",
    cls="safety",
    promise="A load never sees bytes that were not stored to its page: another page's, or a slot nobody wrote.",
    what="{page} reads {seen}, which was never stored to it; expected {expected}",
    false_alarms="None known.",
    canary="canary-trusts-failed-write",
)
