"""Experiment files: read them, resolve them to one configuration, report what is wrong."""
