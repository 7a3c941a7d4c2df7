"""Read the specification's pages, and make from them the requirements that the suite checks.

A requirement is a list item of ``docs/specification``: an anchor, its id, its level, the roles that
it binds, its sentences, and, where no case can check it, the reason why. The pages are the only
source; ``conformance/src/runforge_conformance/requirements/v1.json`` follows from them.

    python scripts/specification.py           write the requirements
    python scripts/specification.py --check   compare, and fail with what is wrong with the pages
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import encode_json

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs/specification"
REQUIREMENTS = ROOT / "conformance/src/runforge_conformance/requirements"
SENTENCES = ROOT / "packages/runforge-web/src/runforge_web/_generated/sentences.json"
CONTRACT = 1

#: The words of each level; a requirement has no others.
WORDS = {
    "core": {"MUST", "MUST NOT"},
    "recommended": {"SHOULD", "SHOULD NOT"},
    "strict": {"MUST", "MUST NOT"},
}
ROLES = ("reader", "editor", "writer", "executor", "store")

_CHAPTER = re.compile(r"# (?P<number>\d+)\. (?P<title>.+)")
_SECTION = re.compile(r"## (?P<number>\d+\.\d+) (?P<title>.+)")
_ITEM = re.compile(
    r'\* <a id="(?P<anchor>[^"]+)"></a>\*\*(?P<id>[a-z0-9.-]+)\*\*'
    r" \((?P<level>[a-z]+); (?P<roles>[a-z, ]+)\): (?P<text>.+)"
)
_WORD = re.compile(r"(?<!`)\b(?:MUST|SHOULD|SHALL|REQUIRED|RECOMMENDED)(?: NOT)?\b(?!`)")
_UNCHECKED = re.compile(r"\*Not checked: (?P<reason>.+?)\*$")
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


class Section(NamedTuple):
    """A numbered heading of a page."""

    number: str
    title: str
    page: str


class Requirement(NamedTuple):
    """A list item of a page that binds clients."""

    id: str
    level: str
    roles: list[str]
    statement: str
    page: str
    section: str
    unchecked: str | None


class Specification(NamedTuple):
    """The chapters with their sections, the requirements, and what is wrong with the pages."""

    sections: list[Section]
    requirements: list[Requirement]
    faults: list[str]


def main() -> int:
    """Write the requirements, or compare them with the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    specification = read_specification(read_pages())
    faults = specification.faults
    data = requirements_file(specification.requirements)
    digest = hashlib.sha256(data).hexdigest().encode("ascii") + b"\n"
    files = {
        REQUIREMENTS / f"v{CONTRACT}.json": data,
        REQUIREMENTS / f"v{CONTRACT}.sha256": digest,
        SENTENCES: sentences_file(specification.requirements),
    }
    for path, content in files.items():
        if not check and not faults:
            path.write_bytes(content)
        elif path.read_bytes() != content:
            faults.append(f"{path.name} does not follow from the pages: run `make generate`")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def read_pages() -> dict[str, str]:
    """Return the text of each page by its name, in the order of the chapters."""
    pages = {path.stem: path.read_text("utf-8") for path in PAGES.glob("*.md")}
    return dict(sorted(pages.items(), key=lambda page: _chapter_number(page[1])))


def _chapter_number(text: str) -> int:
    heading = _CHAPTER.match(text)
    return int(heading["number"]) if heading else 0


def read_specification(pages: dict[str, str]) -> Specification:
    """Return the sections and requirements of these pages, with every fault of form."""
    sections: list[Section] = []
    found: list[Requirement] = []
    faults: list[str] = []
    for page, text in pages.items():
        faults += _read_page(page, text, sections, found)
    numbers = [item.number for item in sections]
    faults += [f"section {number} occurs twice" for number in _repeated(numbers)]
    faults += [f"{name} occurs twice" for name in _repeated(item.id for item in found)]
    chapters = [number for number in numbers if "." not in number]
    if chapters != [str(number) for number in range(1, len(chapters) + 1)]:
        faults.append(f"the chapters are not numbered 1, 2, 3 ...: {', '.join(chapters)}")
    return Specification(sections, found, faults)


def _repeated(names: Any) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _read_page(
    page: str, text: str, sections: list[Section], found: list[Requirement]
) -> Iterator[str]:
    """Add what a page holds to the two lists, and yield its faults."""
    chapter, number, sections_before = "", "", 0
    for block in _blocks(text):
        if heading := _CHAPTER.fullmatch(block) or _SECTION.fullmatch(block):
            number = heading["number"]
            sections.append(Section(number, heading["title"], page))
            chapter = chapter or number
            expected = f"{chapter}.{sections_before}" if "." in number else chapter
            sections_before += 1
            if number != expected:
                yield f"{page}.md: section {number} is where {expected} belongs"
        elif item := _ITEM.fullmatch(block):
            requirement = _requirement(item, page, number)
            found.append(requirement)
            yield from _item_faults(requirement, item["anchor"])
        elif words := _WORD.findall(block):
            shown = block if len(block) < 80 else block[:80] + "..."
            yield f"{page}.md: {words[0]} outside a requirement: {shown}"


def _blocks(text: str) -> Iterator[str]:
    """Yield headings, list items and paragraphs, each as one line; code blocks are left out."""
    block: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        starts = line.startswith(("#", "* ", "```"))
        if (starts or not line.strip() or fenced) and block:
            yield " ".join(block)
            block = []
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif line.strip() and not fenced:
            block.append(line.strip())
            if line.startswith("#"):
                yield block.pop()


def _requirement(item: re.Match[str], page: str, section: str) -> Requirement:
    text = item["text"]
    unchecked = _UNCHECKED.search(text)
    if unchecked:
        text = text[: unchecked.start()].rstrip()
    return Requirement(
        item["id"],
        item["level"],
        item["roles"].split(", "),
        _LINK.sub(r"\1", text),
        page,
        section,
        unchecked["reason"] if unchecked else None,
    )


def _item_faults(item: Requirement, anchor: str) -> Iterator[str]:
    if anchor != item.id:
        yield f"{item.id}: its anchor is {anchor}"
    if "." not in item.section:
        yield f"{item.id}: it is in no section"
    unknown = [role for role in item.roles if role not in ROLES]
    if unknown or item.level not in WORDS:
        yield f"{item.id}: unknown role or level in ({item.level}; {', '.join(item.roles)})"
        return
    words = set(_WORD.findall(item.statement))
    if not words:
        yield f"{item.id}: it says neither MUST nor SHOULD"
    for word in sorted(words - WORDS[item.level]):
        yield f"{item.id}: it is {item.level}, and says {word}"


def requirements_file(items: list[Requirement]) -> bytes:
    """Return the file of requirements that these items make."""
    listed = [
        {key: value for key, value in item._asdict().items() if value is not None} for item in items
    ]
    return encode_json({"contract": CONTRACT, "requirements": listed})


def sentences_file(items: list[Requirement]) -> bytes:
    """Return the file of the section and the sentences of each requirement, by its id."""
    return encode_json(
        {item.id: {"section": item.section, "sentences": item.statement} for item in items}
    )


if __name__ == "__main__":
    sys.exit(main())
