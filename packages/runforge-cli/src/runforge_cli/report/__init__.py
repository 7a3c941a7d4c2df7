"""Reports on runs, written as a self-contained HTML page or as Markdown."""
