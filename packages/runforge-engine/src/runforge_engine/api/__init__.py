"""What users of the library import, by way of ``runforge_engine``."""
