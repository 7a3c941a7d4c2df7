"""The pages of ``runforge ui``: the runs of a workspace in the browser."""

__version__ = "0.4.0"
__all__ = ["__version__"]
