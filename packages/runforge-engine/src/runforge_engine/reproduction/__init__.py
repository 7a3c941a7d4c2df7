"""Training a run again from its record alone, and a verdict on what came out.

Source: RunForge guarantees, "Determinism" and "Provenance".
"""
