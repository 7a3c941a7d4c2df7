"""Comparison of recorded runs: what differs, and what may explain different results."""

from runforge_contracts.comparison.compare import compare_runs, facets_of

__all__ = ["compare_runs", "facets_of"]
