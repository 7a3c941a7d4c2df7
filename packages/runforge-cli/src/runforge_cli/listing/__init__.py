"""Rows for the lists of runs."""
