"""Train a run again from its record alone, and compare the results.

Source: RunForge guarantees, "Determinism" and "Provenance".
"""
