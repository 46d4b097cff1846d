"""What a console tells of a kernel's trouble. The lines are as kernels print them."""

import pytest

from workers.targets.console import find_trouble

QUIET = "[    0.1] Linux version 6.1\n[    0.5] PCI: warning: nothing to see\nmmfuzz: a new world\n"


@pytest.mark.parametrize(
    ("line", "kind", "place"),
    [
        ("[   54.5] Kernel panic - not syncing: sysrq triggered crash", "panic", ""),
        ("[    9.1] kernel BUG at mm/rmap.c:1234!", "bug", "mm/rmap.c:1234"),
        ("[    9.1] BUG: Bad page state in process init  pfn:1234", "bad-page", ""),
        ("[    9.1] BUG: Bad rss-counter state mm:0000 type:MM_ANONPAGES val:1", "bad-page", ""),
        ("[    9.1] WARNING: CPU: 0 PID: 7 at mm/memory.c:99 do_swap_page+0x1/0x2", "warning", "mm/memory.c:99"),
        ("[    9.1] BUG: unable to handle page fault for address: 00", "bug", ""),
        ("[    9.1] general protection fault, probably for non-canonical address 0xdead", "oops", ""),
        ("[  130.0] INFO: task init:1 blocked for more than 120 seconds.", "hung-task", ""),
        ("[   30.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!", "lockup", ""),
    ],
)
def test_trouble_is_found_with_its_kind_and_place(line: str, kind: str, place: str) -> None:
    trouble = find_trouble(QUIET + line + "\n[    9.2] more\n")
    assert trouble is not None
    assert (trouble.kind, trouble.place, trouble.line) == (kind, place, line)
    assert "more" in trouble.excerpt


def test_the_function_at_fault_is_named_by_the_instruction_pointer() -> None:
    report = "BUG: unable to handle page fault\nRIP: 0010:try_to_unmap_one+0x123/0x900\n"
    trouble = find_trouble(report)
    assert trouble is not None
    assert trouble.place == "try_to_unmap_one"


def test_a_quiet_console_has_no_trouble() -> None:
    assert find_trouble(QUIET) is None
