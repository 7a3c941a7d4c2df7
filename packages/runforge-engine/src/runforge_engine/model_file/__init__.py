"""Read model files without running them, and load only what was read and found clean.

Importing the package, or reading a file with it, imports neither numpy nor scikit-learn nor joblib.
"""
