"""Found failures as JSON."""

import json

from fuzzer.campaign.samples import found_from_json, found_to_json
from fuzzer.unit import UnitSpec, run_unit
from simcore.run import run_trace
from tests.fuzzer.campaign.drawing import PAIR, WORLD, failing_traces


def test_a_sample_comes_back_from_its_json_text() -> None:
    for found in failing_traces():
        assert found_from_json(json.loads(json.dumps(found_to_json(found), allow_nan=False))) == found


def test_samples_of_every_oracle_come_back() -> None:
    found = run_unit(UnitSpec(PAIR.kernel, WORLD, "random", 3, 6_000)).failures
    assert len({each.violation.oracle for each in found}) > 1
    for each in found:
        assert found_from_json(json.loads(json.dumps(found_to_json(each)))) == each


def test_a_sample_that_comes_back_fails_as_it_did() -> None:
    found = failing_traces()[0]
    again = found_from_json(found_to_json(found))
    assert found.violation in run_trace(again.trace, PAIR.kernel).violations
