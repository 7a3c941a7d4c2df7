"""The record of an experiment's run: metrics, artifacts, its documents and their verification."""
