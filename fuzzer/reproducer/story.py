"""What the reader of a reproducer is told about the trace."""

from dataclasses import dataclass

# Classes of failures of which a wrong value tells; of the others a program that looks at values cannot.
SEEN_IN_VALUES = frozenset({"safety", "conformance"})


@dataclass(frozen=True, slots=True)
class Story:
    """Where the trace comes from, what the simulator lost in it, and the guilty rows.

    `lost` is a sentence; empty when the simulator loses nothing. `cls` is the class of the failure, if there is one.
    """

    source: str
    lost: str = ""
    cls: str = ""
    cause: tuple[str, ...] = ()
