"""Fleets: those who execute units, and how they are told of them."""

from collections.abc import Mapping

from fuzzer.campaign.protocols import UnitKind


class LookingFleet:
    """Workers that look into the database themselves, as those of the local pool do: nobody has to be told."""

    def hint(self, ready: Mapping[UnitKind, int]) -> int:  # noqa: ARG002
        """Tell nobody."""
        return 0
