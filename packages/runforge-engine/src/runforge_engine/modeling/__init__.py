"""Fit, evaluate, explain and apply a model; no file is written here."""
