"""The runforge command line."""
