"""From raw columns to a table of numbers, by a recipe that is a document."""
