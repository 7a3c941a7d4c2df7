"""What the command prints: text, tables and pages for the terminal."""
