"""The output of the command: text, tables and pages for the terminal."""
