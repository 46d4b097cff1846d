"""`mmfuzz explain`: a trace step by step."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import BEFORE, REFUSED, Shell

Found = tuple[Shell, dict[str, Any]]


def test_a_stored_failure_is_explained_against_its_reference(found: Found) -> None:
    shell, document = found
    failure = document["failures"][0]
    done = shell(*failure["explain"].split()[1:])
    assert done.code == 0
    assert "the life of P0 page 0" in done.out
    assert f"{BEFORE} SAYS NO" in done.out
    assert "reclaim_freeable(anon=1 pte_dirty=0 page_dirty=1" in done.out
    assert ">>> lost-store (safety)" in done.out


def test_json_has_a_step_for_each_op_and_the_end(mmfuzz: Shell, trace_file: Path) -> None:
    document = mmfuzz("explain", trace_file, "--json").json
    assert [step["op"] for step in document["steps"]][1:4] == ["write 0 0 1", "migrate 0 0", "read 0 1"]
    assert document["steps"][-1]["op"] == "end"
    assert document["kernel"] == REFUSED
    assert document["violations"][0]["oracle"] == "lost-store"
    assert "step by step" in document["text"]


def test_another_kernel_and_reference_can_be_asked_for(mmfuzz: Shell, trace_file: Path) -> None:
    document = mmfuzz("explain", trace_file, "--kernel", BEFORE, "--reference", REFUSED, "--json").json
    assert (document["kernel"], document["reference"], document["violations"]) == (BEFORE, REFUSED, [])
