"""Kernels with one bug put in, built from Debian's source: what a target must be able to find."""
