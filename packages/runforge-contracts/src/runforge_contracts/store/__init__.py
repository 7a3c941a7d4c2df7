"""Where runs lie, how they are named, found and read."""
