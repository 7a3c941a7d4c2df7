"""Reports on runs: one content, written as a self-contained HTML page or as Markdown."""
