"""The RunForge engine: turns a request into a recorded run.

Importing the package loads neither numpy nor scikit-learn. Library users who want results that are
equal on every machine call :func:`runforge_engine.numerics.pin_environment` before they import
numpy.
"""

__version__ = "0.4.0"
