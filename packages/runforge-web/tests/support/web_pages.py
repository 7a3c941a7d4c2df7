"""Reads pages of the server as a browser would."""

from __future__ import annotations

import re

import html5lib
from runforge_contracts.display import printable


def runs_in(page: str) -> list[str]:
    """Return the addresses of the runs that a page lists."""
    return re.findall(r'<th scope="row"><a href="(/runs/[^"]+)"><code>', page)


def check_page(text: str) -> None:
    """Check that a page is well formed, runs nothing, and shows no control character."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(text)
    scripts = [item.get("src") for item in tree.iter("script")]
    assert scripts == ["/static/pages.js"]
    for item in tree.iter():
        names = [name for name in item.attrib if str(name).lower().startswith("on")]
        assert names == [], item
    assert not [item for item in tree.iter() if item.tag in ("img", "iframe", "object", "base")]
    assert printable(text.replace("\n", "")) == text.replace("\n", "")
