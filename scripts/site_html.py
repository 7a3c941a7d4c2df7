"""What Sphinx and its theme leave to be mended in pages, so that screen readers read them well."""

from __future__ import annotations

import re
from pathlib import Path

#: A pattern, what takes its place, and why.
_MENDED = (
    # A heading without a level has none.
    (r'<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    # Two landmarks of a kind need names.
    (r'<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    (r'<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
    # The page of the search begins with its second heading.
    (r'<div id="search-results">', '<h1>Search</h1>\n<div id="search-results">'),
    # An empty cell heads nothing.
    (r'<th class="head(?: text-\w+)?"><p></p></th>', "<td></td>"),
    # A list of descriptions without terms, within a term.
    (r"<dl>\n((?:<dd>.*</dd>\n)+)</dl>\n", r'<span class="sig-parameters">\1</span>'),
    (r"<dd>(<em class=\"sig-param\".*)</dd>", r"<span>\1</span>"),
)
_PATTERNS = [(re.compile(pattern), replacement) for pattern, replacement in _MENDED]


def mend_pages(site: Path) -> None:
    """Mend all pages of a site in place.

    Raises
    ------
    ValueError
        If there was nothing to mend of a kind: the theme has changed, and the entry can go.
    """
    counts = dict.fromkeys(_PATTERNS, 0)
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        for pattern, replacement in _PATTERNS:
            text, count = pattern.subn(replacement, text)
            counts[pattern, replacement] += count
        path.write_text(text, "utf-8")
    if unused := [pattern.pattern for (pattern, _), count in counts.items() if not count]:
        raise ValueError(f"nothing to mend: {', '.join(unused)}")
