"""Benchmarks: every figure is a ratio or a rate of things measured side by side in one run.

Each module without a leading underscore is one benchmark: its `main(quick)` measures, prints, and returns the figures.
`mmfuzz bench` (or `python -m benchmarks`) runs them. What is claimed with them is in docs/performance.md.
"""
