"""Merge stores: everything of one is verified and brought into another."""
