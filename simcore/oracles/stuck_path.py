"""Every path that was begun ends once the others are done.

At the end of a trace every actor runs on; a path that still waits then waits for ever.
"""

from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=9,
    name="stuck-path",
    cls="liveness",
    promise="Every path that was begun ends once the others are done.",
    what="a path waits for ever",
    false_alarms="None known.",
    canary="canary-forgets-unlock",
)
