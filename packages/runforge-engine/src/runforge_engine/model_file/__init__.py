"""Inspect model files without running them, and load only files that pass the inspection.

Importing the package, or reading a file with it, imports neither numpy nor scikit-learn nor joblib.
"""
