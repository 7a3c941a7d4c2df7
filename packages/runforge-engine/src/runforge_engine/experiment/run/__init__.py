"""Run an experiment: allocate a folder, start the command, watch it, record its output."""
