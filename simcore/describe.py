"""Ptes, pages, slots and rows in the words of a kernel developer."""

from simcore import constants as c
from simcore.kernel import Kernel
from simcore.rules import Rule, row_bits, rule_of_row
from simcore.snapshot import PageState, SlotState

LEGEND = "pte: P present, W writable / r read-only, Y young, D dirty, s soft-dirty; frames and slots are numbered"

PAGE_FLAGS: tuple[tuple[int, str], ...] = (
    (c.PG_ANON, "PageAnon"),
    (c.PG_KSM, "PageKsm"),
    (c.PG_DIRTY, "PageDirty"),
    (c.PG_SWAPCACHE, "PageSwapCache"),
    (c.PG_SWAPBACKED, "PageSwapBacked"),
    (c.PG_WRITEBACK, "PageWriteback"),
    (c.PG_RECLAIM, "PageReclaim"),
    (c.PG_LRU, "PageLRU"),
    (c.PG_ACTIVE, "PageActive"),
    (c.PG_REFERENCED, "PageReferenced"),
    (c.PG_UNEVICTABLE, "PageUnevictable"),
    (c.PG_MLOCKED, "PageMlocked"),
    (c.PG_UPTODATE, "PageUptodate"),
)


def content_name(token: int) -> str:
    """Contents in words."""
    return {c.ZEROS: "zeros", c.GARBAGE: "what an earlier owner left"}.get(token, f"token {token}")


def pte_name(pte: int) -> str:
    """A pte as `PWYD s frame 3`, `swap slot 0 s`, `none`."""
    kind = pte & c.PTE_KIND_MASK
    payload = pte >> c.PTE_PAYLOAD_SHIFT
    soft = " s" if pte & c.PTE_SOFT_DIRTY else ""
    if kind == c.PTE_NONE:
        return "none"
    if kind == c.PTE_SWAP:
        return f"swap slot {payload}{soft}"
    if kind == c.PTE_MIGRATION:
        write = "write" if pte & c.PTE_WRITE else "read"
        return f"migration entry ({write}) for frame {payload}{soft}"
    letters = "".join(
        set_letter if pte & bit else clear_letter
        for bit, set_letter, clear_letter in (
            (c.PTE_WRITE, "W", "r"),
            (c.PTE_YOUNG, "Y", "-"),
            (c.PTE_DIRTY, "D", "-"),
        )
    )
    what = "zero page" if pte & c.PTE_ZERO_PAGE else f"frame {payload}"
    return f"P{letters}{soft} {what}"


def flag_names(flags: int) -> list[str]:
    """The names of the page flags that are set."""
    return [name for bit, name in PAGE_FLAGS if flags & bit]


def page_change(pfn: int, before: PageState, after: PageState) -> str | None:
    """What happened to a frame, in one line; None if nothing that matters did."""
    was_free = bool(before.flags & c.PG_BUDDY)
    if after.flags & c.PG_BUDDY:
        return None if was_free else f"frame {pfn}: freed (it held {content_name(before.content)})"
    if was_free:
        return f"frame {pfn}: new page, {_page(after)}"
    changes = [f"+{name}" for bit, name in PAGE_FLAGS if after.flags & bit and not before.flags & bit]
    changes += [f"-{name}" for bit, name in PAGE_FLAGS if before.flags & bit and not after.flags & bit]
    if before.mapcount != after.mapcount:
        changes.append(f"mapcount {before.mapcount} -> {after.mapcount}")
    if before.content != after.content:
        changes.append(f"{content_name(before.content)} -> {content_name(after.content)}")
    if before.locked_by != after.locked_by:
        changes.append("locked" if after.locked_by else "unlocked")
    return f"frame {pfn}: {', '.join(changes)}" if changes else None


def _page(page: PageState) -> str:
    flags = " ".join(flag_names(page.flags))
    return f"{flags}, mapcount {page.mapcount}, holds {content_name(page.content)}"


def slot_change(slot: int, before: SlotState, after: SlotState) -> str | None:
    """What happened to a swap slot, in one line; None if nothing did."""
    used = after.count > 0 or after.page >= 0
    was_used = before.count > 0 or before.page >= 0
    if not used:
        return f"slot {slot}: freed" if was_used else None
    changes = []
    if before.count != after.count:
        changes.append(f"count {before.count} -> {after.count}")
    if before.page != after.page:
        changes.append(f"cached in frame {after.page}" if after.page >= 0 else "out of the swap cache")
    if not before.written and after.written:
        changes.append(f"written: {content_name(after.content)}")
    elif before.content != after.content:
        changes.append(f"holds {content_name(after.content)}")
    if not was_used and not after.written:
        changes.append("not written yet")
    return f"slot {slot}: {', '.join(changes)}" if changes else None


def row_name(rule: Rule, row: int) -> str:
    """A row as a call: reclaim_freeable(anon=1 pte_dirty=0)."""
    bits = " ".join(f"{bit}={int(value)}" for bit, value in row_bits(rule, row).items())
    return f"{rule.name}({bits})"


def decision(kernel: Kernel, flat_row: int) -> str:
    """A row that was used, and what the kernel decided."""
    rule, row = rule_of_row(flat_row)
    return f"{row_name(rule, row)} = {'yes' if kernel.rows[flat_row] else 'no'}"
