"""`mmfuzz export`: a C file of a failure or a trace."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import LOST_STORE, REFUSED, Shell

Found = tuple[Shell, dict[str, Any]]


def test_a_stored_failure_becomes_a_file_with_its_verdict_trace_and_cause(found: Found) -> None:
    shell, document = found
    heads = {}
    for failure in document["failures"]:
        done = shell("export", failure["id"], "--c")
        assert done.code == 0 or "cannot be driven" in done.err
        if done.code == 0:
            heads[failure["id"]] = " ".join(done.out.partition("*/")[0].replace("*", " ").split())
    assert heads
    for failure in document["failures"]:
        if failure["id"] in heads:
            for words in (
                failure["id"],
                failure["oracle"],
                f"kernel {REFUSED}",
                "cause: ",
                failure["trace"].split("\n")[3],
            ):
                assert words in heads[failure["id"]]


def test_a_trace_becomes_a_file_that_says_what_the_simulator_lost(mmfuzz: Shell, trace_file: Path) -> None:
    done = mmfuzz("export", trace_file, "--c")
    assert (done.code, done.err) == (0, "")
    head, _, rest = done.out.partition("*/")
    assert "lost-store" in " ".join(head.split())
    assert "\twrite 0 0 1\n" in head
    assert 'op(3, "migrate 0 0"); migrate(P0, 0);' in rest
    assert "int main(int argc, char **argv)\n" in rest


def test_stdin_and_another_kernel_can_be_given(mmfuzz: Shell) -> None:
    done = mmfuzz("export", "-", "--c", "--kernel", "canary-sound", stdin=LOST_STORE)
    assert "in the simulator nothing is lost" in " ".join(done.out.partition("*/")[0].split())


def test_the_file_can_be_named_long_and_short(mmfuzz: Shell, trace_file: Path) -> None:
    printed = mmfuzz("export", trace_file, "--c").out
    for option, name in (("-o", "a.c"), ("--output", "b.c")):
        done = mmfuzz("export", trace_file, "--c", option, name)
        assert done.out == f"{name}: gcc -O2 -Wall -o repro {name}\n"
        assert (mmfuzz.folder / name).read_text() == printed


def test_json_has_the_text_and_where_it_was_written(mmfuzz: Shell, trace_file: Path) -> None:
    document = mmfuzz("export", trace_file, "--c", "--json").json
    assert document["c"].endswith("}\n")
    assert (document["file"], document["failure"], document["kernel"]) == (None, None, REFUSED)
    assert mmfuzz("export", trace_file, "--c", "--json", "-o", "a.c").json["file"] == "a.c"


def test_an_op_that_cannot_be_driven_is_wrong_input(mmfuzz: Shell) -> None:
    done = mmfuzz("export", "-", "--c", stdin=LOST_STORE + "begin reclaim\n")
    assert (done.code, done.out) == (3, "")
    assert "op 6, `begin reclaim`, cannot be driven on a real kernel" in done.err


def test_the_form_must_be_said_and_the_file_be_writable(mmfuzz: Shell, trace_file: Path) -> None:
    assert mmfuzz("export", trace_file).code == 3
    assert "--c" in mmfuzz("export", trace_file).err
    done = mmfuzz("export", trace_file, "--c", "-o", "none/a.c")
    assert done.code == 3
    assert "none/a.c cannot be written" in done.err


def test_a_failure_that_values_do_not_show_is_exported_with_a_note(mmfuzz: Shell, root: Path) -> None:
    done = mmfuzz("export", root / "tests" / "golden" / "v0.1.0" / "refused-needless-write-swapin.trace", "--c")
    assert done.code == 0, done.err
    assert "class cost" in done.err
    assert "class cost" in " ".join(done.out.partition("*/")[0].split())
