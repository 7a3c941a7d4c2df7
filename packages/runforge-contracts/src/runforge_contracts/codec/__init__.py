"""Strict JSON and YAML, and JSON Pointers."""
