"""Conditions on runs, their named values, and what differs among them, for every list of runs."""
