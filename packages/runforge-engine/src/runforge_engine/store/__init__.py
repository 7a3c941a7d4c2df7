"""Run folders and their index: create, append, scan, compare, rebuild."""
