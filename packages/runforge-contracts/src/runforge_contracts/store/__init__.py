"""Location, names, lookup and reading of runs."""
