"""Sets of rows as bits: the row of flat number n is bit n % 8 of byte n // 8."""

from dataclasses import dataclass

from simcore.rules import TOTAL_ROWS

ROW_BYTES = -(-TOTAL_ROWS // 8)


def pack_rows(flags: bytes) -> bytes:
    """The bits of a UnitResult's rows, a byte of 0 or 1 each."""
    value = 0
    for number, used in enumerate(flags):
        if used:
            value |= 1 << number
    return value.to_bytes(ROW_BYTES, "little")


def unpack_rows(packed: bytes) -> bytes:
    """A byte of 0 or 1 for each row: unpack_rows(pack_rows(flags)) == flags."""
    value = int.from_bytes(packed, "little")
    return bytes(value >> number & 1 for number in range(TOTAL_ROWS))


def count_rows(packed: bytes) -> int:
    """How many rows are in the set."""
    return int.from_bytes(packed, "little").bit_count()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Rows that units have reached, and those that more than one has."""

    seen: bytes = bytes(ROW_BYTES)
    again: bytes = bytes(ROW_BYTES)

    def add(self, rows: bytes) -> "tuple[Coverage, bytes]":
        """The coverage with one unit's rows, and the rows that are new."""
        seen, again, added = (int.from_bytes(each, "little") for each in (self.seen, self.again, rows))
        return (
            Coverage(_bytes(seen | added), _bytes(again | seen & added)),
            _bytes(added & ~seen),
        )

    def chance_of_news(self, units: int) -> float | None:
        """How likely the next unit is to reach a new row; None before any unit.

        Good and Turing's estimate: the share of what was seen once among all that was drawn, where a draw is a unit.
        Source: I. J. Good, "The population frequencies of species and the estimation of population parameters",
        Biometrika 40 (1953); M. Boehme, "STADS", TOSEM 27 (2018), for fuzzing. Ours draws sets of rows, not one
        species a draw, so it is the expected number of new rows a unit, and at most 1 is taken for a chance.
        """
        if units == 0:
            return None
        once = int.from_bytes(self.seen, "little") & ~int.from_bytes(self.again, "little")
        return min(1.0, once.bit_count() / units)


def _bytes(value: int) -> bytes:
    return value.to_bytes(ROW_BYTES, "little")
