"""What differs between runs, by their records, and what may account for different results."""

from runforge_contracts.comparison.compare import compare_runs, facets_of

__all__ = ["compare_runs", "facets_of"]
