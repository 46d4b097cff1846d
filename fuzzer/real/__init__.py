"""Traces for real kernels: which can be driven there, how they are drawn, and what their loads may show."""
