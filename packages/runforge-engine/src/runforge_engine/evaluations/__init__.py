"""Evaluations: judge the model of a run by labelled new rows, and record the result."""
