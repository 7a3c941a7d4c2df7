"""Read the bytes of a dataset and convert them to a feature matrix and labels."""
