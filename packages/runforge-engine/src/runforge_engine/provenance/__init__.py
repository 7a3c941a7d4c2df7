"""Record the origin of a run: code, environment, statement, digests, keys and signatures."""
