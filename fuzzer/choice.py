"""Which samples of failing traces are minimized; all others are only counted.

Minimizing the same failure again and again would take longer than finding it. So a key (oracle and kind) has the
samples of the first unit that shows it minimized, and after that LATER_SAMPLES more over all units.
"""

from collections.abc import Mapping, Sequence

from fuzzer.unit import FailureKey, FoundFailure

LATER_SAMPLES = 4


def choose_samples(
    later: Mapping[FailureKey, int], samples: Sequence[FoundFailure]
) -> tuple[tuple[int, ...], dict[FailureKey, int]]:
    """The places of a unit's samples to be minimized, in the order to do it, and the counts after that.

    `later` has every key that an earlier unit showed, with the number of samples chosen since.
    """
    after = dict(later)
    chosen = []
    for place in _every_key_once_first(samples):
        key = samples[place].key
        if key not in later:
            after.setdefault(key, 0)
            chosen.append(place)
        elif after[key] < LATER_SAMPLES:
            after[key] += 1
            chosen.append(place)
    return tuple(chosen), after


def is_settled(later_samples: int) -> bool:
    """Whether no more samples of a key will be chosen, given those chosen after its first unit."""
    return later_samples >= LATER_SAMPLES


def _every_key_once_first(samples: Sequence[FoundFailure]) -> list[int]:
    """The places in an order in which every key is seen once before any is seen twice."""
    seen: dict[FailureKey, int] = {}
    rounds = []
    for found in samples:
        seen[found.key] = seen.get(found.key, 0) + 1
        rounds.append(seen[found.key])
    return sorted(range(len(samples)), key=lambda place: rounds[place])
