"""What is done with a unit whose worker was lost: given out again, split, or kept away from everybody.

A worker may die of anything, so a unit is innocent at first. Once it has lost MOST_ATTEMPTS workers it is suspect, and
its seeds are halved again and again: a half that loses its worker is halved at once, one that does not is done. What
is left is the one seed that kills, and it has to do so LAST_ATTEMPTS times.
"""

from typing import Literal

from fuzzer.campaign.protocols import LostUnit

MOST_ATTEMPTS = 3
PART_ATTEMPTS = 1
# Nobody else may be lost with what is not split any further: it has to kill more often than bad luck does.
LAST_ATTEMPTS = 5

Judgement = Literal["again", "split", "quarantine"]


def judge_loss(unit: LostUnit) -> Judgement:
    """What to do with a unit that has lost `attempt` workers."""
    if unit.kind == "fuzz" and unit.seed_count > 1:
        return "split" if unit.attempt >= (PART_ATTEMPTS if unit.is_part else MOST_ATTEMPTS) else "again"
    return "quarantine" if unit.attempt >= LAST_ATTEMPTS else "again"


def reason_of(unit: LostUnit) -> str:
    """Why a unit is split or quarantined, for people."""
    times = "once" if unit.attempt == 1 else f"{unit.attempt} times"
    what = {
        "fuzz": f"seeds {unit.seed_start} to {unit.seed_start + unit.seed_count - 1}",
        "minimize": f"minimizing sample {unit.number}",
        "canary": "a canary",
    }[unit.kind]
    return f"{what} lost the worker {times}, the last one {unit.owner}"
