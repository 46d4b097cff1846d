"""Targets that are not the simulator: real kernels, where they are kept and how traces run on them."""
