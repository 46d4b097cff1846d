"""The virtual-memory simulator: state, ops, rules, kernels, oracles, traces.

Imports nothing here: setup.py imports simcore.unity before anything else is installed or compiled.
"""
