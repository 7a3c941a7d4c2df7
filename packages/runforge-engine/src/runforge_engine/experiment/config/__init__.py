"""Read experiment files, resolve them to one configuration, and report errors."""
