"""The links of built pages: whether each leads to a page, an anchor or a file that is there."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes that hold an address.
_ADDRESSES = {"href", "src", "poster", "data"}
#: Parts of a page that a browser fetches by itself, so nothing of another site may be among them.
_LOADED = {"img", "script", "link", "iframe", "source", "object", "video", "audio"}


class _Page(HTMLParser):
    """The addresses and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.append(value)
            elif name in _ADDRESSES and value:
                self.links.append((tag, value))


def check_links(site: Path) -> list[str]:
    """Return what is wrong with the links of all pages, a line each.

    A link is wrong if its page, file or anchor is missing, or if it leads out of the folder. So is
    an anchor that a page has twice, and whatever a page would load from another site.
    """
    pages = _pages(site)
    anchors = {path: set(page.anchors) for path, page in pages.items()}
    mistakes = []
    for path, page in pages.items():
        name = path.relative_to(site)
        repeated = {each for each in page.anchors if page.anchors.count(each) > 1}
        mistakes += [f"{name}: two anchors {each}" for each in sorted(repeated)]
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if tag in _LOADED:
                    mistakes.append(f"{name}: loads {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or not target.is_relative_to(site.resolve()):
                mistakes.append(f"{name}: {link} leads nowhere")
            elif parts.fragment and unquote(parts.fragment) not in anchors.get(target, ()):
                mistakes.append(f"{name}: {link} has no such anchor")
    return mistakes


def outward_links(site: Path) -> list[str]:
    """Return the addresses of other sites that pages link to, sorted."""
    found = {link for page in _pages(site).values() for _, link in page.links}
    return sorted(link for link in found if urlsplit(link).netloc)


def _pages(site: Path) -> dict[Path, _Page]:
    return {path.resolve(): _Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
