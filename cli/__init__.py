"""The `mmfuzz` command: reads arguments and environment, holds the clock, and wires the other folders together."""
