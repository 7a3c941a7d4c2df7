"""Runs as other tools keep them: an MLflow tracking store, or plain tables."""
