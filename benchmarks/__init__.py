"""Benchmarks: every figure is a ratio or a rate of things measured side by side in one run.

Each module has a `main()` that prints its figures and returns them. `mmfuzz bench` runs them all.
"""
