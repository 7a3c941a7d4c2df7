"""The pages of the documentation site: which there are, and their text as Sphinx reads it.

Pages stay where the repository has them, and their links are those that work on a forge. Here the
pages of ``docs/site/navigation.toml`` are copied into one folder with every link led to the page of
the site that it means, or to the forge where the site has no such page.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reference import heading_anchor
from sources import SCHEMAS

ROOT = SCHEMAS.parent
SITE = ROOT / "docs/site"
REPOSITORY = "https://github.com/runforge/runforge"
#: The first page.
FRONT = "docs/README.md"

_FENCE = re.compile(r"^ *(```+|~~~+)", re.M)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", re.S)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING_ANCHOR = re.compile(r'^(#+ )(<a id="([^"]*)"></a>)(.*)$', re.M)


class Entry(NamedTuple):
    """A page in the navigation: its path in the repository, and the pages below it."""

    page: str
    children: tuple[str, ...] = ()


class Section(NamedTuple):
    """A part of the navigation with a title."""

    title: str
    entries: tuple[Entry, ...]


class SiteError(Exception):
    """Mistakes in pages, a line each."""


def navigation() -> tuple[Section, ...]:
    """Return the sections of the sidebar."""
    parsed = tomllib.loads((SITE / "navigation.toml").read_text("utf-8"))
    return tuple(
        Section(section["title"], tuple(_entry(page) for page in section["pages"]))
        for section in parsed["sections"]
    )


def _entry(written: str | dict[str, str | bool]) -> Entry:
    if isinstance(written, str):
        return Entry(written)
    page = str(written["page"])
    folder = posixpath.dirname(page)
    linked = (target.partition("#")[0] for target in links((ROOT / page).read_text("utf-8")))
    paths = (posixpath.normpath(posixpath.join(folder, target)) for target in linked if target)
    children = (
        path
        for path in dict.fromkeys(paths)
        if path != page and posixpath.dirname(path) == folder and path.endswith(".md")
    )
    return Entry(page, tuple(children))


def all_pages() -> list[str]:
    """Return the paths of all pages in the repository, in the order of the navigation."""
    entries = [entry for section in navigation() for entry in section.entries]
    return [FRONT, *(path for entry in entries for path in (entry.page, *entry.children))]


def address(page: str) -> str:
    """Return the path in the site of a page, without a suffix: ``guides/trust``."""
    path = page.removeprefix("docs/").removeprefix("site/pages/").rpartition(".")[0]
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "index" if name == "README" else name).lower()


def write_pages(target: Path) -> None:
    """Write all pages, and what they show, into the folder that Sphinx reads.

    Raises
    ------
    SiteError
        For links that lead nowhere.
    """
    pages = all_pages()
    known = {page: address(page) for page in pages}
    below = {e.page: e.children for section in navigation() for e in section.entries}
    mistakes = []
    for page, place in known.items():
        source = ROOT / page
        written = target / f"{place}{source.suffix}"
        written.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text("utf-8")
        if source.suffix == ".md":
            text = _HEADING_ANCHOR.sub(_without_anchor, text)
            text, lost = _with_site_links(text, page, known, target)
            mistakes += lost
            text += "".join(_contents(page, below, known))
        written.write_text(text, "utf-8")
    if mistakes:
        raise SiteError("\n".join(mistakes))


def _without_anchor(heading: re.Match[str]) -> str:
    """Move an anchor out of a heading, which is repeated elsewhere, or drop one it has anyway."""
    mark, element, anchor, title = heading.groups()
    return f"{mark}{title}" if anchor == heading_anchor(title) else f"{element}\n\n{mark}{title}"


def _contents(page: str, below: dict[str, tuple[str, ...]], known: dict[str, str]) -> Iterator[str]:
    """Yield the parts of the navigation that begin at a page."""
    if page == FRONT:
        for section in navigation():
            yield _toctree([known[entry.page] for entry in section.entries], section.title)
    elif below.get(page):
        yield _toctree([known[child] for child in below[page]])


def _toctree(places: list[str], title: str = "") -> str:
    caption = f":caption: {title}\n" if title else ""
    listed = "\n".join(f"/{place}" for place in places)
    return f"\n```{{toctree}}\n:hidden:\n{caption}\n{listed}\n```\n"


def links(text: str) -> Iterator[str]:
    """Yield the targets of all links and images of a page that are not in code."""
    for is_code, part in _parts(text):
        if not is_code:
            yield from _LINK.findall(part)


def _with_site_links(
    text: str, page: str, known: dict[str, str], target: Path
) -> tuple[str, list[str]]:
    """Return the text with each link led to where the site has it, and what leads nowhere."""
    lost = []

    def replaced(found: re.Match[str]) -> str:
        try:
            return f"]({_site_link(found[1], page, known, target)})"
        except FileNotFoundError:
            lost.append(f"{page}: the link to {found[1]} leads nowhere")
            return found[0]

    parts = [part if is_code else _LINK.sub(replaced, part) for is_code, part in _parts(text)]
    return "".join(parts), lost


def _site_link(link: str, page: str, known: dict[str, str], target: Path) -> str:
    for kind in ("blob", "tree"):
        if link.startswith(f"{REPOSITORY}/{kind}/main/"):
            path = link.removeprefix(f"{REPOSITORY}/{kind}/main/")
            break
    else:
        if re.match(r"[a-z]+:|#", link):
            return link
        path = posixpath.join(posixpath.dirname(page), link)
    path, _, anchor = path.partition("#")
    path = posixpath.normpath(path)
    anchor = anchor and f"#{anchor}"
    source = ROOT / path
    if path in known:
        return _relative(f"{known[path]}.html", page) + anchor
    if not source.exists():
        raise FileNotFoundError(path)
    if path.startswith("schemas/") and source.is_file():
        return _relative(path, page)
    if source.suffix in (".png", ".svg"):
        place = path.removeprefix("docs/")
        copied = target / place
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copied)
        return _relative(place, page)
    kind = "tree" if source.is_dir() else "blob"
    return f"{REPOSITORY}/{kind}/main/{path}{anchor}"


def _relative(place: str, page: str) -> str:
    return posixpath.relpath(place, posixpath.dirname(address(page)) or ".")


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the text in parts, and whether each is code: a fenced block or a span."""
    fence, block = "", []
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            block.append(line)
            if mark and mark[1].startswith(fence) and not line.strip(" `~\n"):
                yield True, "".join(block)
                fence, block = "", []
        elif mark:
            yield from _spans("".join(block))
            fence, block = mark[1], [line]
        else:
            block.append(line)
    yield from ([(True, "".join(block))] if fence else _spans("".join(block)))


def _spans(text: str) -> Iterator[tuple[bool, str]]:
    end = 0
    for span in _CODE_SPAN.finditer(text):
        yield False, text[end : span.start()]
        yield True, span[0]
        end = span.end()
    yield False, text[end:]
