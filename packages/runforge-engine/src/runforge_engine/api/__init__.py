"""The library API, which users import from ``runforge_engine``."""
