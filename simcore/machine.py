"""The Python face of one simulated machine.

The compiled core and the uncompiled modules each have a Machine with the same methods, so that both can run side by
side in one process and be compared.
"""

from collections.abc import Sequence

import cython


class Machine:
    """One machine: load a kernel, set a world, start, run ops, finish, and ask what happened.

    Not thread-safe. Everything it returns is a copy.
    """

    def __init__(self) -> None:
        if not cython.compiled:
            self.s = MmState()

    def load_kernel(self, rows: bytes) -> None:
        """Take the kernel's flat table: TOTAL_ROWS bytes of 0 and 1."""
        if len(rows) != TOTAL_ROWS:
            raise ValueError(f"a kernel has {TOTAL_ROWS} rows, this one {len(rows)}")
        for i in range(TOTAL_ROWS):
            self.s.rows[i] = rows[i]

    def set_world(self, numbers: Sequence[int], op_needs: Sequence[int]) -> None:
        """Take the sizes (in the order of World.encode()) and, for each op code, the features it needs."""
        processes, pages, frames, slots, memcgs, mergeable, file, huge, advised, batch, zram, features = numbers
        self.s.nr_mm_max = processes
        self.s.nr_anon = pages
        self.s.nr_file = file
        self.s.nr_huge = huge
        self.s.advised = advised
        self.s.batch_size = batch
        self.s.nr_frames = frames
        self.s.nr_slots = slots
        self.s.nr_memcgs = memcgs
        self.s.nr_mergeable = mergeable
        self.s.sync_io = zram
        self.s.features = features
        for code, needs in enumerate(op_needs):
            self.s.op_needs[code] = needs

    def start(self, checks: int) -> None:
        """Begin a trace, with a mask of CHECK_* bits and LOG_ROWS."""
        self.s.checks = checks
        reset(cython.address(self.s) if cython.compiled else self.s)

    def op(self, word: int) -> int:
        """Run one op; its RESULT_* code."""
        return execute_op(cython.address(self.s) if cython.compiled else self.s, word)

    def finish(self) -> None:
        """End the trace: settle, look what can be discarded, read every page."""
        finish_trace(cython.address(self.s) if cython.compiled else self.s)

    def stopped(self) -> bool:
        """Whether a safety oracle has spoken: later ops of the trace are not run."""
        return self.s.stopped != 0

    def outcome(self) -> int:
        """The 64-bit hash of everything that happened so far."""
        return self.s.outcome

    def failed(self) -> int:
        """The mask of oracles that have spoken, by code."""
        return self.s.failed

    def failure(self, oracle: int) -> tuple[int, int, int, int, int]:
        """An oracle's first report: (op index, ptep, origin, expected, seen)."""
        return (
            self.s.fail_at[oracle],
            self.s.fail_ptep[oracle],
            self.s.fail_origin[oracle],
            self.s.fail_expected[oracle],
            self.s.fail_seen[oracle],
        )

    def covered(self) -> bytes:
        """The rows used since the last clear_covered(), a byte each."""
        return bytes([self.s.covered[i] for i in range(TOTAL_ROWS)])

    def clear_covered(self) -> None:
        """Forget which rows were used."""
        for i in range(TOTAL_ROWS):
            self.s.covered[i] = 0

    def take_log(self) -> list[int]:
        """The rows used since the last call, in order; empty without LOG_ROWS."""
        rows = [self.s.log[i] for i in range(self.s.nr_log)]
        self.s.nr_log = 0
        return rows

    def ptes(self) -> list[list[int]]:
        """The page tables: for each process ever made, one pte word a page."""
        return [[self.s.pte[mm << VPN_SHIFT | vpn] for vpn in range(self.s.nr_vpn)] for mm in range(self.s.nr_mm)]

    def expectations(self) -> list[list[tuple[int, int, int]]]:
        """For each process, for each page: (expected token, SHADOW_* bits, VM_* flags)."""
        return [
            [
                (
                    self.s.expect[mm << VPN_SHIFT | vpn],
                    self.s.shadow[mm << VPN_SHIFT | vpn],
                    self.s.vm_flags[mm << VPN_SHIFT | vpn],
                )
                for vpn in range(self.s.nr_vpn)
            ]
            for mm in range(self.s.nr_mm)
        ]

    def alive(self) -> list[bool]:
        """For each process ever made, whether it lives."""
        return [self.s.mm_alive[mm] != 0 for mm in range(self.s.nr_mm)]

    def pages(self) -> list[tuple[int, int, int, int, int, int, int]]:
        """For each frame: (PG_* flags, mapcount, refcount, content, slot, locking actor + 1, memcg)."""
        return [
            (
                self.s.page_flags[pfn],
                self.s.page_mapcount[pfn],
                self.s.page_refcount[pfn],
                self.s.page_content[pfn],
                self.s.page_slot[pfn],
                self.s.page_lock[pfn],
                self.s.page_memcg[pfn],
            )
            for pfn in range(self.s.nr_frames)
        ]

    def swap_slots(self) -> list[tuple[int, int, int, int]]:
        """For each slot: (count, cached frame or -1, content, written)."""
        return [
            (
                self.s.slot_count[slot],
                self.s.slot_page[slot],
                self.s.slot_content[slot],
                self.s.slot_written[slot],
            )
            for slot in range(self.s.nr_slots)
        ]

    def page_states(self) -> list[list[int]]:
        """For each process ever made, what a real kernel's files would show of each page: see simcore.observe.

        Empty for a process that is gone. Remembers the frames, so that the next call can tell which have changed.
        """
        s = cython.address(self.s) if cython.compiled else self.s
        shown = [
            [page_state(s, mm << VPN_SHIFT | vpn) for vpn in range(self.s.nr_vpn)] if self.s.mm_alive[mm] else []
            for mm in range(self.s.nr_mm)
        ]
        remember_frames(s)
        return shown

    def set_pagemap_by_head(self, by_head: bool) -> None:
        """Let page_states() show of a huge mapping what is true of its head, as pagemap did before v6.11."""
        self.s.pagemap_by_head = by_head

    def smaps_states(self) -> list[list[int]]:
        """As page_states(), the fields of smaps that are not 0: see simcore.observe."""
        s = cython.address(self.s) if cython.compiled else self.s
        return [
            [smaps_state(s, mm << VPN_SHIFT | vpn) for vpn in range(self.s.nr_vpn)] if self.s.mm_alive[mm] else []
            for mm in range(self.s.nr_mm)
        ]

    def follow(self, choices: Sequence[int], drains: bool = False) -> None:
        """What reclaim is to do with each page (FOLLOW_*, by ptep) until the next call; nothing: as it likes.

        `drains`: the reading shows that pages left the batches meanwhile.
        """
        self.s.following = 0
        if len(choices) > 0:
            self.s.following = FOLLOWING_DRAINS if drains else FOLLOWING
        for ptep, choice in enumerate(choices):
            self.s.follow[ptep] = choice

    def end_writes(self) -> None:
        """Let every write to the swap device that is under way end well."""
        end_all_swap_writes(cython.address(self.s) if cython.compiled else self.s)

    def last_value(self) -> int:
        """The token that the last load saw."""
        return self.s.last_value

    def final_values(self) -> list[int]:
        """What every live process reads in each of its pages, in their order."""
        s = cython.address(self.s) if cython.compiled else self.s
        values = []
        for mm in range(self.s.nr_mm):
            for vpn in range(self.s.nr_vpn if self.s.mm_alive[mm] else 0):
                access_page(s, mm * THREADS_PER_MM, mm << VPN_SHIFT | vpn, FOR_READ, ZEROS, False)
                values.append(self.s.last_value)
        return values

    def actors(self) -> list[tuple[int, int, int]]:
        """For each actor on a path: (actor, path, phase)."""
        return [
            (actor, self.s.act_path[actor], self.s.act_phase[actor])
            for actor in range(MAX_ACTORS)
            if self.s.act_path[actor] != 0
        ]


if not cython.compiled:
    from simcore.constants import FOLLOWING, FOLLOWING_DRAINS, FOR_READ, MAX_ACTORS, THREADS_PER_MM, VPN_SHIFT, ZEROS
    from simcore.execute import access_page, execute_op, reset
    from simcore.finish import finish_trace
    from simcore.mm_types import MmState
    from simcore.observe import page_state, remember_frames, smaps_state
    from simcore.page_io import end_all_swap_writes
    from simcore.rule_ids import TOTAL_ROWS
