"""Reproducers: a trace as a C program that runs it on a real kernel through real system calls.

Text in, text out. `make_source()` puts fragments of C together (`c_*.py`), as many as the trace needs; `steps.py` says
what each op is in C, and which cannot be driven. docs/reproducers.md is for the reader.
"""

from fuzzer.reproducer.errors import CannotDrive
from fuzzer.reproducer.source import make_source
from fuzzer.reproducer.story import SEEN_IN_VALUES, Story

__all__ = ["SEEN_IN_VALUES", "CannotDrive", "Story", "make_source"]
