"""What code and schemas cite as their source exists."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sources import schema_sources
from specification import read_pages, read_specification

ROOT = Path(__file__).parents[2]
SECTIONS = {section.number for section in read_specification(read_pages()).sections}

#: Standards and projects that are cited, by the words that a citation of them begins with.
NAMED = (
    "APPNOTE.TXT of PKWARE",
    "Bash reference manual",
    "Click documentation",
    "CommonMark 0.31.2",
    "CycloneDX 1.6",
    "DSSE protocol v1.0",
    "ECMA-376",
    "Fawcett 2006",
    "Git LFS specification, version 1",
    "GitHub Flavored Markdown",
    "GitHub",
    "Guo et al. 2017",
    "Heckbert 1990",
    "Hugging Face Hub documentation",
    "IEEE Std 1003.1-2017",
    "Inselberg 1985",
    "JSON Schema 2020-12",
    "JSON-RPC 2.0 Specification",
    "Language Server Protocol 3.17",
    "Linux kernel documentation",
    "MLflow documentation",
    "Microsoft",
    "ONNX specification",
    "OWASP",
    "OpenBLAS",
    "OpenSSF Model Signing v1.0",
    "Process Run Crate 0.5",
    "PyPA specifications",
    "RO-Crate 1.1",
    "Dask distributed",
    "Python",
    "SLSA v1.0",
    "SQLAlchemy documentation",
    "Sigstore bundle v0.3",
    "SQLite documentation",
    "Student 1908",
    "W3C",
    "WHATWG",
    "XDG Base Directory Specification",
    "YAML 1.1",
    "YAML 1.2.2",
    "in-toto attestation framework v1",
    "joblib",
    "numpy",
    "package-url specification",
    "reproducible-builds.org",
    "scikit-learn",
    "sklearn-onnx documentation",
    "skops documentation",
)
#: Documents that this repository was made from and does not hold.
UNSEEN = re.compile(r"TFC-?\d{4}|run store contract|result\.json contract|RunForge guarantees")

_CITATION = re.compile(r"(?<![A-Za-z])Source: (?P<text>.+)", re.DOTALL)
_PART = re.compile(r"; (?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
_SPECIFICATION = re.compile(r"specification, (?P<unit>section|chapter)(?P<many>s?) (?P<numbers>.+)")
_RFC = re.compile(r"RFC \d{4}(?:, (?:section [\d.]+|appendix [A-Z]))?(?: \([^)]+\))?")
_MANUAL = re.compile(r"\w+\(\d(?:const|p)?\)(?: of macOS)?(?:, .+)?")
_PAGE = re.compile(r"``(?P<path>docs/[\w./-]+)``")
_SCHEMA = re.compile(r"schema ``(?P<name>[\w.]+)``")


def fault(citation: str) -> str | None:
    """Return what is wrong with the text of a citation, None if all that it names exists."""
    if not citation.endswith("."):
        return "it does not end with a full stop"
    for part in _PART.split(citation.removesuffix(".")):
        if named := _SPECIFICATION.fullmatch(part):
            if found := section_fault(named["unit"], bool(named["many"]), named["numbers"]):
                return found
        elif page := _PAGE.fullmatch(part):
            if not (ROOT / page["path"]).is_file():
                return f"there is no {page['path']}"
        elif schema := _SCHEMA.fullmatch(part):
            if schema["name"] not in schema_sources():
                return f"there is no schema {schema['name']}"
        elif not (
            all(_RFC.fullmatch(rfc) for rfc in part.split(" and "))
            or _MANUAL.fullmatch(part)
            or any(re.match(rf"{re.escape(name)}(?![\w-])", part) for name in NAMED)
        ):
            return f"{part} is not a source that is known"
    return None


def section_fault(unit: str, many: bool, text: str) -> str | None:
    """Return what is wrong with a list of sections such as ``2.1 to 2.7, 2.9 and 3.1``."""
    listed = re.split(r", | and ", text)
    numbers = [number for item in listed for number in item.split(" to ")]
    form = r"\d+\.\d+" if unit == "section" else r"\d+"
    if not all(re.fullmatch(form, number) for number in numbers):
        return f"{text} is not a list of {unit}s"
    if missing := [number for number in numbers if number not in SECTIONS]:
        return f"the specification has no {unit} {missing[0]}"
    if many is (len(numbers) == 1):
        return f"{unit}{'s' if many else ''} of {text}"
    order = [tuple(map(int, number.split("."))) for number in numbers]
    return None if order == sorted(set(order)) else f"{text} is not in order"


def paragraphs(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a file's docstrings, comments or descriptions, each as one line."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        blocks = list(descriptions(json.loads(text)))
    elif path.suffix == ".py":
        blocks = [*docstrings(ast.parse(text)), *comments(text)]
    else:
        blocks = [re.sub(r"^\s*(?://|/?\*+/?) ?", "", text, flags=re.MULTILINE)]
    for block in blocks:
        for paragraph in re.split(r"\n\s*\n", block):
            yield " ".join(paragraph.split())


def docstrings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def comments(text: str) -> Iterator[str]:
    """Yield each run of comments on lines that follow each other."""
    block, last = "", -1
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != last + 1:
                yield block
                block = ""
            block += token.string.lstrip("#: ") + "\n"
            last = token.start[0]
    yield block


def descriptions(value: Any) -> Iterator[str]:
    """Yield every description of a schema."""
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict) and isinstance(value.get("description"), str):
        yield value["description"]
    for child in children if isinstance(value, dict | list) else ():
        yield from descriptions(child)


def tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for name in done.stdout.split("\0")[:-1] if (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def citations() -> list[tuple[str, str]]:
    """Return the file and the text of each citation."""
    folders = ("packages", "conformance", "scripts", "benchmarks", "examples", "schemas")
    kinds = ("py", "ts", "mjs", "js", "go", "json")
    found = []
    for path in tracked(*(f"{folder}/*.{kind}" for folder in folders for kind in kinds)):
        written = str(path.relative_to(ROOT))
        if path.suffix == ".json" and not written.startswith("schemas/"):
            continue
        for paragraph in paragraphs(path):
            if cited := _CITATION.search(paragraph):
                found.append((written, cited["text"]))
    return found


@pytest.mark.needs("git")
def test_everything_that_is_cited_exists(citations: list[tuple[str, str]]) -> None:
    of_schemas = [file for file, _ in citations if file.startswith("schemas/")]
    assert len(of_schemas) > 40
    assert len(citations) - len(of_schemas) > 100
    assert [(file, text, fault(text)) for file, text in citations if fault(text)] == []


@pytest.mark.parametrize(
    "citation",
    [
        "specification, section 5.2.",
        "specification, sections 2.1 to 2.7, 2.9 and 3.1; RFC 4180.",
        "specification, chapter 17.",
        'RFC 7519, section 3; RFC 7468 (PEM); fcntl(2) of macOS, ``F_GETPATH``; W3C, "A; B".',
        "RFC 3986 and RFC 8089.",
        "``docs/benchmarks.md``; schema ``run.v0.4.0``.",
    ],
)
def test_what_exists_may_be_cited(citation: str) -> None:
    assert fault(citation) is None


@pytest.mark.parametrize(
    ("citation", "why"),
    [
        ("specification, section 5.99.", "no section 5.99"),
        ("specification, section 99.1.", "no section 99.1"),
        ("specification, chapter 99.", "no chapter 99"),
        ("specification, section 5.", "not a list of sections"),
        ("specification, section 5.1 and 5.2.", "section of"),
        ("specification, sections 5.2 and 5.1.", "not in order"),
        ("specification, sections 5.1 to 5.99.", "no section 5.99"),
        ("specification, Data.", "not a source"),
        ('RunForge guarantees, "Data".', "not a source"),
        ("run store contract, section 1.", "not a source"),
        ("TFC-0003, section 7.", "not a source"),
        ("RFC 8259; result.json contract.", "not a source"),
        ("scikit-learned, ``fit``.", "not a source"),
        ("RFC 12, section 1.", "not a source"),
        ("``docs/nothing.md``.", "there is no docs/nothing.md"),
        ("schema ``run.v9``.", "there is no schema"),
        ("specification, section 5.2", "full stop"),
    ],
)
def test_what_does_not_exist_may_not_be_cited(citation: str, why: str) -> None:
    assert why in str(fault(citation))


@pytest.mark.needs("git")
def test_no_text_names_a_document_that_is_not_here() -> None:
    # The schemas of a release are kept as they were. The chapter of decisions tells
    # what the documents left open, and says what they are.
    released = ROOT / "packages/runforge-contracts/released"
    history = ROOT / "docs/specification/decisions.md"
    naming = [
        str(path.relative_to(ROOT))
        for path in tracked("*.md", "*.py", "*.ts", "*.mjs", "*.go", "*.json", "*.toml", "Makefile")
        if released not in path.parents
        and path not in (Path(__file__), history)
        and UNSEEN.search(path.read_text("utf-8", errors="replace"))
    ]
    assert naming == []
