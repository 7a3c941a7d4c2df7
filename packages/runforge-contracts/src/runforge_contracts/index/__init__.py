"""Reading the index of a store without parsing all of it."""
