"""Sweeps: many runs from one plan, each a record of its own, and the group that they belong to."""
