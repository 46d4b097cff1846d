"""Campaigns: what is to be fuzzed, cut into units, and their results folded in.

Knows no database, broker, clock or environment.
"""
