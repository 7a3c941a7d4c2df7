"""Sweeps: plans of many runs, the runs that they make, and the groups that record them."""
