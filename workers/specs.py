"""Campaigns' settings, read from the database once in a process: they never change but for the priority."""

from sqlalchemy.orm import Session

from db.campaign_queries import run_setup
from db.campaign_values import RunSetup, StoredCampaign
from db.queries import get_kernel
from fuzzer.campaign.spec import CampaignSpec, spec_from_json
from simcore.kernel import Kernel

_MOST_KEPT = 1000


class Specs:
    """Specs of campaigns, setups of cells, and kernels, by their ids."""

    def __init__(self) -> None:
        self._specs: dict[str, CampaignSpec] = {}
        self._setups: dict[str, RunSetup] = {}
        self._kernels: dict[str, Kernel] = {}

    def spec(self, session: Session, campaign: StoredCampaign) -> CampaignSpec:
        """The settings of a campaign."""
        if campaign.id not in self._specs:
            _make_room(self._specs)
            self._specs[campaign.id] = spec_from_json(campaign.spec, lambda digest: self.kernel(session, digest))
        return self._specs[campaign.id]

    def setup(self, session: Session, run_id: str) -> RunSetup:
        """What a worker has to know of a cell."""
        if run_id not in self._setups:
            _make_room(self._setups)
            self._setups[run_id] = run_setup(session, run_id)
        return self._setups[run_id]

    def kernel(self, session: Session, digest: str) -> Kernel:
        """A stored kernel."""
        if digest not in self._kernels:
            _make_room(self._kernels)
            self._kernels[digest] = get_kernel(session, digest)
        return self._kernels[digest]


def _make_room(kept: dict[str, object] | dict[str, CampaignSpec] | dict[str, RunSetup] | dict[str, Kernel]) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
