"""Runs on other machines, with Dask distributed: what is sent, what comes back, and its checks."""
