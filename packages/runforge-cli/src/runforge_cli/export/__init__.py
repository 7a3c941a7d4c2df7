"""Export runs to an MLflow tracking store or to CSV tables."""
