"""From the bytes of a dataset to a feature matrix and labels."""
