"""The lists of runs: reading them and laying out their rows."""
