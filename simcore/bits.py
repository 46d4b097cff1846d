"""Small integer helpers, and the look-up of rules in the kernel's truth tables."""

import cython


def lowest_bit(mask: int) -> int:
    """The index of the lowest set bit of a mask that is not 0."""
    if cython.compiled:
        return __builtin_ctz(mask)
    return (mask & -mask).bit_length() - 1


def mix(value: "u64", more: int) -> "u64":
    """Fold one more number into a 64-bit running hash (FNV-1a, a word at a time)."""
    if cython.compiled:
        value ^= more
        return (value << 40) + value * 0x1B3
    return ((value ^ (more & 0xFFFFFFFFFFFFFFFF)) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF


def pte_kind(pte: int) -> int:
    """What the pte is: PTE_NONE, PTE_PRESENT, PTE_SWAP or PTE_MIGRATION."""
    return pte & PTE_KIND_MASK


def pte_payload(pte: int) -> int:
    """The frame of a present pte or migration entry, the slot of a swap pte."""
    return pte >> PTE_PAYLOAD_SHIFT


def set_pte(s: "MmState", ptep: int, pte: int) -> None:
    """Write a page table entry. Whoever may change what it names must write it here, for the count identities."""
    if (s.pte[ptep] ^ pte) & ~PTE_BITS_MASK:
        s.counts_changed = 1
    s.pte[ptep] = pte


def rule_row(s: "MmState", row: int) -> bool:
    """Look one row up, and remember that it was used."""
    s.covered[row] = 1
    if s.checks & LOG_ROWS and s.nr_log < MAX_LOG:
        s.log[s.nr_log] = row
        s.nr_log += 1
    return s.rows[row] != 0


def rule0(s: "MmState", rule: int) -> bool:
    """The value of a switch: a rule that looks at nothing."""
    return rule_row(s, rule)


def rule1(s: "MmState", rule: int, b0: bool) -> bool:
    """The value of a rule of one bit. Callers pass the bits in the order of the rule's declaration."""
    return rule_row(s, rule + b0)


def rule2(s: "MmState", rule: int, b0: bool, b1: bool) -> bool:
    """The value of a rule of two bits."""
    return rule_row(s, rule + b0 + b1 * 2)


def rule3(s: "MmState", rule: int, b0: bool, b1: bool, b2: bool) -> bool:
    """The value of a rule of three bits."""
    return rule_row(s, rule + b0 + b1 * 2 + b2 * 4)


def rule4(s: "MmState", rule: int, b0: bool, b1: bool, b2: bool, b3: bool) -> bool:
    """The value of a rule of four bits."""
    return rule_row(s, rule + b0 + b1 * 2 + b2 * 4 + b3 * 8)


def rule5(s: "MmState", rule: int, b0: bool, b1: bool, b2: bool, b3: bool, b4: bool) -> bool:
    """The value of a rule of five bits."""
    return rule_row(s, rule + b0 + b1 * 2 + b2 * 4 + b3 * 8 + b4 * 16)


def rule6(s: "MmState", rule: int, b0: bool, b1: bool, b2: bool, b3: bool, b4: bool, b5: bool) -> bool:
    """The value of a rule of six bits."""
    return rule_row(s, rule + b0 + b1 * 2 + b2 * 4 + b3 * 8 + b4 * 16 + b5 * 32)


if not cython.compiled:
    from simcore.constants import LOG_ROWS, MAX_LOG, PTE_BITS_MASK, PTE_KIND_MASK, PTE_PAYLOAD_SHIFT
    from simcore.mm_types import MmState, u64
