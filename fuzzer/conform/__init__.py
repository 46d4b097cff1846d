"""Readings of real kernels, replayed in the simulator and compared with it after every op."""

ORACLE = "conformance"
"""Under this name and class a disagreement is kept among failures."""
