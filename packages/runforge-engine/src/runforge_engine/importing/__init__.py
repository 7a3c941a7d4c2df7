"""Runs of other tools, read without these tools and recorded as runs of experiments."""
