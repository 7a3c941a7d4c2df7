"""Bundles: one run with its signature in a file, to be sent and brought into another store."""
