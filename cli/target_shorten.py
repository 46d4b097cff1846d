"""Examples of disagreements, shortened on the real kernel that showed them."""

from collections.abc import Sequence
from dataclasses import replace

from cli.conform_run import Compared
from cli.output import Screen, plural
from fuzzer.conform.comparison import DisagreementClass
from workers.targets.record_file import RecordPlan
from workers.targets.session import Session
from workers.targets.shorten import TargetShortener

# Classes of one file; a report with more of them is read from its most frequent ones on.
MOST_CLASSES = 10


def shorten_on_target(screen: Screen, compared: Sequence[Compared], plans: Sequence[RecordPlan]) -> list[Compared]:
    """The same comparisons, with shorter examples where nobody has judged the disagreement yet."""
    return [_shorten(screen, each, plan) for each, plan in zip(compared, plans, strict=True)]


def _shorten(screen: Screen, compared: Compared, plan: RecordPlan) -> Compared:
    settled = compared.file.settled
    unjudged = [each for each in settled.classes if each.first > each.explained][:MOST_CLASSES]
    if not unjudged:
        return compared
    shorter: dict[str, DisagreementClass] = {}
    with Session(plan.boot, plan.limits) as session:
        shortener = TargetShortener(session, compared.plan)
        for each in unjudged:
            found = shortener.shorten(each)
            if found is None:
                screen.note(f"{each.key.id}: did not come again when its trace was run alone")
            else:
                shorter[each.key.id] = found
                screen.note(f"{each.key.id}: shortened to {plural(len(found.example.reading.ops), 'op')}")
    classes = tuple(shorter.get(each.key.id, each) for each in settled.classes)
    return replace(compared, file=replace(compared.file, settled=replace(settled, classes=classes)))
