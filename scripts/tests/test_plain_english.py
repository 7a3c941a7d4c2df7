"""The words in `plain_english.json` are not used; the file gives a plainer one for each."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = json.loads(Path(__file__).with_name("plain_english.json").read_text("utf-8"))
PATTERN = re.compile(
    "|".join(rf"(?P<w{number}>\b(?:{word})\b)" for number, word in enumerate(WORDS)), re.IGNORECASE
)
FOLDERS = (
    *("packages", "conformance", "clients", "scripts", "benchmarks", "docs", "schemas"),
    "changelog.d",
)
#: Written by programs from texts that are checked elsewhere, installed, or data of tests.
LEFT_OUT = (
    *("_generated", "__snapshots__", "node_modules", "build", "dist", "test-vectors", "vectors"),
    *("cases", "support", ".venv", ".tox", "contract", "images"),
)
#: Values of documents, which do not change.
VALUES = {"at work"}
#: Passages that keep a word, each with its reason.
KEPT = {
    "docs/benchmarks.md": "generated from benchmarks/page.py",
    "docs/conformance-report.md": "generated from the requirements",
}


def pages() -> list[Path]:
    files = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile")]
    for folder in FOLDERS:
        for suffix in ("py", "md", "ts", "mjs", "json"):
            files += (ROOT / folder).rglob(f"*.{suffix}")
    return sorted(
        path
        for path in files
        if not set(LEFT_OUT) & set(path.relative_to(ROOT).parts)
        and str(path.relative_to(ROOT)) not in KEPT
        and path.name not in ("plain_english.json", "package-lock.json", "xfail.json")
        and not (path.suffix == ".json" and path.relative_to(ROOT).parts[0] != "schemas")
    )


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of all prose in a file."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from of_python(text)
    elif path.suffix == ".json":
        yield from ((1, item) for item in descriptions(json.loads(text)))
    else:
        yield from enumerate(text.splitlines(), 1)


def of_python(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in VALUES:
                continue
            yield node.lineno, " ".join(node.value.split())
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def descriptions(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("description", "title", "$comment") and isinstance(value, str):
                yield value
            yield from descriptions(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from descriptions(item)


#: Values of documents in backticks, and ids of vectors, which are not prose.
QUOTED = re.compile(r"`[^`]*`|\b\w+(?:-\w+){2,}\b")


def found_in(path: Path) -> list[str]:
    """Return a line for each word that has a plainer one."""
    place = path.relative_to(ROOT)
    plain = list(WORDS.values())
    return [
        f'{place}:{line}: "{match[0]}": {plain[int(str(match.lastgroup)[1:])]}'
        for line, text in prose(path)
        for match in PATTERN.finditer(QUOTED.sub(" ", text))
    ]


def test_there_is_something_to_check() -> None:
    assert len(pages()) > 300


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_found_where_it_is_used(word: str, tmp_path: Path) -> None:
    example = re.sub(r"(\w)\?", r"\1", word)
    assert PATTERN.search(f"It is {example} here.")


def test_plain_words_are_used() -> None:
    found = [line for path in pages() for line in found_in(path)]
    assert found == [], "\n".join(["use plainer words:", *found])
