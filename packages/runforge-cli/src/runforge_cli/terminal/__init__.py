"""Writing to the terminal: text layout, output, errors and JSON."""
