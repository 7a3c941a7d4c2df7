"""Where a run came from: code, environment, statement, digests, keys and signatures."""
