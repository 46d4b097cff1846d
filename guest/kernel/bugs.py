"""The bugs that can be put into a kernel: one small edit each, as somebody might make it by mistake."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from guest.errors import KernelBuildError


@dataclass(frozen=True, slots=True)
class Bug:
    """One edit of one file of Linux 6.1: `before` stands there exactly once, and `after` in its place.

    `effect` says what goes wrong then.
    """

    file: str
    before: str
    after: str
    effect: str


BUGS: Mapping[str, Bug] = {
    "discard": Bug(
        "mm/rmap.c",
        "\t\t\t\tif (ref_count == 1 + map_count &&\n\t\t\t\t    !folio_test_dirty(folio)) {\n",
        "\t\t\t\tif (ref_count == 1 + map_count) {\n",
        "try_to_unmap_one() discards what MADV_FREE gave up without a look at PageDirty: a store made since is lost",
    ),
    "swapin": Bug(
        "mm/swap_state.c",
        "\t * for the folio solves the problem.\n\t */\n\tfolio_mark_dirty(folio);\n",
        "\t * for the folio solves the problem.\n\t */\n",
        "add_to_swap() leaves a page clean that swap-in mapped clean: it is dropped unwritten, and its next swap-in"
        " reads a slot that nobody wrote",
    ),
    "migration": Bug(
        "mm/rmap.c",
        "\t\t\t/* Nuke the page table entry. */\n\t\t\tpteval = ptep_clear_flush(vma, address, pvmw.pte);\n\t\t}\n\n"
        "\t\t/* Set the dirty flag on the folio now the pte is gone. */\n"
        "\t\tif (pte_dirty(pteval))\n\t\t\tfolio_mark_dirty(folio);\n\n"
        "\t\t/* Update high watermark before we lower rss */\n\t\tupdate_hiwater_rss(mm);\n\n"
        "\t\tif (folio_is_device_private(folio)) {\n",
        "\t\t\t/* Nuke the page table entry. */\n\t\t\tpteval = ptep_clear_flush(vma, address, pvmw.pte);\n\t\t}\n\n"
        "\t\t/* Update high watermark before we lower rss */\n\t\tupdate_hiwater_rss(mm);\n\n"
        "\t\tif (folio_is_device_private(folio)) {\n",
        "try_to_migrate_one() forgets the pte's dirty bit: a page that was written looks clean once it was moved",
    ),
}


def put_in(bug: Bug, source: Path) -> None:
    """Edit the source tree. KernelBuildError when the place is not there exactly once; then nothing is changed."""
    path = source / bug.file
    text = path.read_text("utf-8")
    found = text.count(bug.before)
    if found != 1:
        raise KernelBuildError(f"{path}: the place to edit is there {found} times; is it Linux 6.1?")
    path.write_text(text.replace(bug.before, bug.after), "utf-8")


def take_out(bug: Bug, source: Path) -> None:
    """Undo the edit."""
    put_in(Bug(bug.file, bug.after, bug.before, ""), source)


def take_out_left_over(source: Path) -> None:
    """Undo the edit of a build that was killed before it could."""
    for bug in BUGS.values():
        text = (source / bug.file).read_text("utf-8")
        if bug.before not in text and text.count(bug.after) == 1:
            take_out(bug, source)
