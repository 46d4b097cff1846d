"""Engines, minimization, signatures and causes: functions from traces to values."""
