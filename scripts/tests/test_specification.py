"""The specification's pages are whole, and the requirements follow from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from reference import heading_anchor, section_addresses
from runforge_conformance.vectors import all_cases
from runforge_contracts.codec.pointers import get_at
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.codec.strict_yaml import parse_yaml
from runforge_contracts.errors import RunForgeError
from specification import (
    REQUIREMENTS,
    read_pages,
    read_specification,
    requirements_file,
)

ROOT = Path(__file__).parents[2]
SPECIFICATION_FOLDER = ROOT / "docs/specification"
VECTORS = ROOT / "docs/test-vectors"
PAGES = read_pages()
SPECIFICATION = read_specification(PAGES)


def test_the_pages_have_no_faults() -> None:
    assert SPECIFICATION.faults == []


def test_the_requirements_are_those_of_the_pages() -> None:
    assert requirements_file(SPECIFICATION.requirements) == (REQUIREMENTS / "v1.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# 1. One\n\nA reader MUST read.\n", "MUST outside a requirement"),
        ("# 1. One\n\n## 1.2 Two\n", "section 1.2 is where 1.1 belongs"),
        ("# 2. One\n", "the chapters are not numbered"),
        (
            '# 1. One\n\n## 1.1 Two\n\n* <a id="a.b"></a>**a.b** (core; reader): It reads.\n',
            "neither",
        ),
        (
            '# 1. One\n\n## 1.1 Two\n\n* <a id="a.b"></a>**a.b** (recommended; reader): It MUST.\n',
            "it is recommended, and says MUST",
        ),
        (
            '# 1. One\n\n## 1.1 Two\n\n* <a id="a.c"></a>**a.b** (core; reader): It MUST.\n',
            "its anchor is a.c",
        ),
    ],
)
def test_a_fault_of_a_page_is_found(text: str, fault: str) -> None:
    assert any(fault in found for found in read_specification({"page": text}).faults)


#: Where a sentence ends and the next begins.
_NEXT = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


def items(text: str) -> Iterator[str]:
    """Yield the text of each requirement of a page, as it is written."""
    yield from re.findall(r"^\* <a id=.+?(?=\n\n|\n\* |\Z)", text, re.MULTILINE | re.DOTALL)


def sentences(item: str) -> list[str]:
    """Return the sentences of a requirement, as they are written."""
    return _NEXT.split(re.split(r"\):\s", item, maxsplit=1)[1].split("*Not")[0].strip())


def check(page: str, text: str) -> list[str]:
    """Return what `scripts/specification.py --check` would find wrong with a page."""
    found = read_specification({page: text})
    committed = json.loads((REQUIREMENTS / "v1.json").read_bytes())["requirements"]
    made = json.loads(requirements_file(found.requirements))["requirements"]
    differs = made != [item for item in committed if item["page"] == page]
    # The other chapters are not there.
    faults = [fault for fault in found.faults if not fault.startswith("the chapters are")]
    return [*faults, *(["differs: v1.json"] if differs else [])]


@pytest.mark.parametrize("page", PAGES)
def test_no_sentence_of_a_requirement_can_be_taken_out(page: str) -> None:
    assert check(page, PAGES[page]) == []
    for item in items(PAGES[page]):
        for sentence in sentences(item):
            without = PAGES[page].replace(item, item.replace(sentence, "", 1))
            assert without != PAGES[page]
            assert check(page, without), sentence


def test_every_word_of_a_requirement_is_in_a_sentence() -> None:
    written = [item for text in PAGES.values() for item in items(text)]
    assert len(written) == len(SPECIFICATION.requirements)
    for item, requirement in zip(written, SPECIFICATION.requirements, strict=True):
        joined = " ".join(" ".join(sentences(item)).split())
        assert re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", joined) == requirement.statement


def test_a_requirement_taken_out_is_missed_by_its_cases() -> None:
    """Writing the requirements again does not hide that one is gone: a case still names it."""
    asked = {case.requirement for case in all_cases()}
    assert len(asked) > 80
    assert asked <= {item.id for item in SPECIFICATION.requirements}
    for page, text in PAGES.items():
        for item in items(text):
            (name,) = re.findall(r'^\* <a id="([^"]+)">', item)
            rest = read_specification({page: text.replace(item, "")}).requirements
            assert name not in {requirement.id for requirement in rest}


def prose(text: str) -> str:
    """Return a page without its code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^ {4}.*$", "", re.sub(r"(?<!\[)`[^`\n]*`", "", text), flags=re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return what a link to a place of a page may name."""
    text = path.read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {*re.findall(r'<a id="([^"]+)">', text), *map(heading_anchor, headings)}


def links(path: Path) -> list[tuple[str, str, str]]:
    """Return text, file and anchor of every link of a page to a file."""
    found = re.findall(r"\[([^]]*)\]\(([^)#\s]*)(?:#([^)\s]*))?\)", prose(path.read_text("utf-8")))
    return [link for link in found if not link[1].startswith(("http:", "https:", "mailto:"))]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for _, target, anchor in links(SPECIFICATION_FOLDER / f"{page}.md"):
        path = (SPECIFICATION_FOLDER / target).resolve() if target else page_file(page)
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_links_to_the_specification_lead_somewhere() -> None:
    found = 0
    for path in (ROOT / "docs").rglob("*.md"):
        for _, target, anchor in links(path):
            aim = (path.parent / target).resolve()
            if aim.parent == SPECIFICATION_FOLDER and path.parent != SPECIFICATION_FOLDER:
                found += 1
                assert aim.is_file(), f"{path.name}: {target}"
                assert not anchor or anchor in anchors(aim), f"{path.name}: {target}#{anchor}"
    assert found > 100


def page_file(page: str) -> Path:
    return SPECIFICATION_FOLDER / f"{page}.md"


@pytest.mark.parametrize("page", PAGES)
def test_a_section_that_a_sentence_names_exists_and_is_the_one_it_links_to(page: str) -> None:
    numbers = {section.number for section in SPECIFICATION.sections}
    named = re.findall(r"\b[Ss]ections? ([0-9]+\.[0-9]+)", " ".join(prose(PAGES[page]).split()))
    assert set(named) <= numbers
    for text, target, anchor in links(page_file(page)):
        if number := re.fullmatch(r"(?:[Ss]ection )?(\d+\.\d+)", " ".join(text.split())):
            address = f"{target or page + '.md'}#{anchor}"
            assert address == section_addresses()[number[1]], text
        if number := re.fullmatch(r"[Cc]hapter (\d+)", " ".join(text.split())):
            assert target == section_addresses()[number[1]].partition("#")[0], text


def test_every_page_is_linked_from_the_introduction_and_that_from_the_front_page() -> None:
    linked = {target for _, target, _ in links(page_file("README"))}
    assert {f"{page}.md" for page in PAGES} - {"README.md"} <= linked
    front = {target for _, target, _ in links(ROOT / "README.md")}
    assert "docs/specification/README.md" in front


def examples(text: str) -> Iterator[tuple[str, str]]:
    """Yield each example of a page in JSON or YAML, with the paragraph before it."""
    yield from re.findall(
        r"((?:^(?!```)[^\n]+\n)+)\n```(?:jsonl?|yaml)\n((?:(?!```)[^\n]*\n)*)```\n",
        text,
        re.MULTILINE,
    )


def values(value: Any) -> Iterator[Any]:
    """Yield a value and everything in it."""
    yield value
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from values(child)


def written(value: Any) -> str:
    """Return the text of a value, which tells 1 from 1.0 and from true."""
    return json.dumps(value, sort_keys=True)


@cache
def case_values() -> dict[str, Any]:
    """Return the cases as they are in their files, by id."""
    files = sorted((VECTORS / "cases").rglob("*.json"))
    return {case["id"]: case for file in files for case in json.loads(file.read_bytes())["cases"]}


def parsed(path: Path) -> list[Any]:
    """Return the documents of a file."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    try:
        return [
            parse_yaml(path.read_bytes())
            if path.suffix == ".yaml"
            else parse_json(path.read_bytes())
        ]
    except RunForgeError:
        return []


def sources_named(paragraph: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield text and values of each vector and each case that a paragraph names."""
    names = re.findall(r"`([^`]+)`", " ".join(paragraph.split()))
    for name in names:
        if name in case_values():
            yield "", [case_values()[name]]
        for path in (ROOT / name, VECTORS / name):
            inner = [path / other for other in names] if path.is_dir() else []
            for file in [path, *inner]:
                if file.is_file() and VECTORS in file.parents:
                    yield file.read_text("utf-8"), parsed(file)


def at(document: Any, pointer: str) -> Iterator[Any]:
    """Yield the value at a place of a document, if it has the place."""
    with suppress(RunForgeError):
        yield get_at(document, pointer)


def example_fault(paragraph: str, example: str) -> str | None:
    """Return what is wrong with an example, None if it is in what the paragraph before it names."""
    named = list(sources_named(paragraph))
    if not named:
        return "no vector and no case is named before it"
    try:
        wanted = [json.loads(example)]
    except ValueError:
        try:
            wanted = [json.loads(line) for line in example.splitlines()]
        except ValueError:
            wanted = None
    pointer = re.search(r"\bat `(/[^`]*)`", " ".join(paragraph.split()))
    for text, documents in named:
        if example in text:
            return None
        if wanted is None or not documents:
            continue
        if pointer:
            found = [value for document in documents for value in at(document, pointer[1])]
        else:
            found = [value for document in documents for value in values(document)]
        if {written(value) for value in wanted} <= {written(value) for value in found}:
            return None
    return "it is not in the vector that is named before it"


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_in_the_vectors_that_are_named_before_them(page: str) -> None:
    for paragraph, example in examples(PAGES[page]):
        assert example_fault(paragraph, example) is None, example
    fences = re.findall(r"^```(?:jsonl?|yaml)$", PAGES[page], re.MULTILINE)
    assert len(fences) == len(list(examples(PAGES[page])))


def test_examples_are_found_at_all() -> None:
    assert sum(len(list(examples(text))) for text in PAGES.values()) >= 15


@pytest.mark.parametrize(
    ("paragraph", "example", "fault"),
    [
        ("From `request.v1.min.json`:\n", '{"type": "cpu"}\n', None),
        ("From `request.v1.min.json`, at `/device`:\n", '{"type": "cpu"}\n', None),
        ("From `request.v1.min.json`, at `/model`:\n", '{"type": "cpu"}\n', "not in the vector"),
        ("From `request.v1.min.json`:\n", '{"type": "gpu"}\n', "not in the vector"),
        ("From `request.v1.min.json`:\n", "1.0\n", "not in the vector"),
        ("From `request.v1.min.json`:\n", '  "type": "gpu",\n', "not in the vector"),
        ("From `nothing.v1.json`:\n", '{"type": "cpu"}\n', "no vector"),
        ("For example:\n", '{"type": "cpu"}\n', "no vector"),
    ],
)
def test_an_example_that_no_vector_has_is_found(
    paragraph: str, example: str, fault: str | None
) -> None:
    found = example_fault(paragraph, example)
    assert found is None if fault is None else fault in str(found)
