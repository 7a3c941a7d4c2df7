"""Partial reading of the index of a store."""
