"""Which samples are minimized."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.choice import LATER_SAMPLES, choose_samples, is_settled
from fuzzer.unit import FailureKey, FoundFailure
from simcore.run import Violation
from simcore.trace import Trace
from simcore.world import World

KEYS: tuple[FailureKey, ...] = (("lost-store", "ksm"), ("lost-store", "cow"), ("rss-count", "anon"))


def sample(key: FailureKey) -> FoundFailure:
    """A sample of which nothing but the key matters."""
    oracle, kind = key
    violation = Violation(oracle, "safety", kind, 0, 0, 0, 1, 0, "lost")
    return FoundFailure(Trace("any", World(), ()), violation, seed=1, count=1, options={})


def test_all_samples_of_a_new_key_are_chosen_every_key_before_any_twice() -> None:
    first, second, third = KEYS
    samples = [sample(key) for key in (first, first, first, second, third, second)]
    assert choose_samples({}, samples) == ((0, 3, 4, 1, 5, 2), dict.fromkeys(KEYS, 0))


def test_a_known_key_has_a_few_more_chosen_over_all_units() -> None:
    later: dict[FailureKey, int] = {KEYS[0]: 0}
    numbers = []
    for _ in range(4):
        chosen, later = choose_samples(later, [sample(KEYS[0])] * 3)
        numbers.append(len(chosen))
    assert numbers == [3, LATER_SAMPLES - 3, 0, 0]
    assert later == {KEYS[0]: LATER_SAMPLES}


@pytest.mark.parametrize("later", range(LATER_SAMPLES + 1))
def test_a_key_is_settled_when_no_more_samples_would_be_chosen(later: int) -> None:
    chosen, _ = choose_samples({KEYS[0]: later}, [sample(KEYS[0])])
    assert is_settled(later) == (chosen == ())


@given(st.dictionaries(st.sampled_from(KEYS), st.integers(0, LATER_SAMPLES)), st.lists(st.sampled_from(KEYS)))
def test_what_is_chosen_is_counted_and_nothing_else(later: dict[FailureKey, int], keys: list[FailureKey]) -> None:
    given_before = dict(later)
    chosen, after = choose_samples(later, [sample(key) for key in keys])
    assert later == given_before
    assert len(set(chosen)) == len(chosen)
    counted = Counter(keys[place] for place in chosen)
    for key in KEYS:
        if key in later:
            assert counted[key] == after[key] - later[key] == min(keys.count(key), LATER_SAMPLES - later[key])
        else:
            assert counted[key] == keys.count(key)
            assert after.get(key) == (0 if key in keys else None)
