"""Making campaigns: from a spec to what is stored of it."""

from collections.abc import Mapping
from datetime import datetime

from db.campaign_values import CampaignRecord, CellRecord
from fuzzer.campaign.spec import CampaignSpec
from fuzzer.results_version import RESULTS_VERSION
from simcore.rules import TOTAL_ROWS


def campaign_record(
    name: str,
    spec: CampaignSpec,
    versions: Mapping[str, str],
    created: datetime,
    *,
    origin: str = "campaign",
    options: Mapping[str, object] | None = None,
    cloned_from: str | None = None,
) -> CampaignRecord:
    """What is stored of a new campaign; `options` are added to those of each cell."""
    shared = {
        "seed_ops": spec.seed_ops,
        "length": spec.length,
        "oracles": None if spec.oracles is None else list(spec.oracles),
        "checks": spec.checks,
    }
    cells = []
    for cell in spec.cells:
        reference = cell.pair.reference
        own = {
            "kernel": cell.pair.kernel.name,
            "kernel_digest": cell.pair.kernel.digest,
            "reference": reference.name if reference else None,
            "reference_digest": reference.digest if reference else None,
        }
        cell_options = shared | own | dict(options or {})
        cells.append(CellRecord(cell.number, cell.pair.kernel, reference, cell.world, cell.engine, cell_options))
    return CampaignRecord(
        name=name,
        origin=origin,
        spec=spec.to_json(),
        weight=spec.priority,
        seed=spec.seed,
        results_version=RESULTS_VERSION,
        versions=versions,
        rows_total=TOTAL_ROWS,
        cells=tuple(cells),
        created=created,
        cloned_from=cloned_from,
    )
