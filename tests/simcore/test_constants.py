"""Numbers that stand in more than one table agree."""

from fuzzer.engine_constants import MAX_OPS
from simcore import constants
from simcore.features import FEATURES, feature_mask


def test_feature_bits_are_in_the_order_of_features() -> None:
    bits = {name: getattr(constants, f"FEATURE_{name.upper()}") for name in FEATURES}
    assert bits == {name: feature_mask(frozenset({name})) for name in FEATURES}


def test_engines_and_core_have_room_for_the_same_ops() -> None:
    assert MAX_OPS == constants.MAX_OP_CODES
