"""Every revision of the database's schema that was followed by another has data, from which the tests upgrade."""

from pathlib import Path

import pytest

from db import schema

DATA = Path("tests", "db", "revisions")


@pytest.mark.parametrize("revision", schema.revisions()[:-1])
def test_revision_has_data_to_upgrade_from(revision: str, root: Path) -> None:
    assert (root / DATA / f"{revision}.jsonl").is_file(), (
        f"recipe 'a change of the schema': the data step was forgotten: {DATA}/{revision}.jsonl does not exist;"
        f" {DATA}/README.md says how it is made"
    )


def test_there_are_no_data_of_a_revision_that_does_not_exist(root: Path) -> None:
    assert {path.stem for path in (root / DATA).glob("*.jsonl")} <= set(schema.revisions())
