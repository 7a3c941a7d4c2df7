"""Check that texts use plain words: pages, docstrings, comments, strings and descriptions.

The phrases to avoid are in ``plain_english.toml``, each with the words to use instead.
"""

from __future__ import annotations

import io
import json
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RULES = tomllib.loads(Path(__file__).with_name("plain_english.toml").read_text("utf-8"))
BANNED = {re.compile(pattern, re.IGNORECASE): plain for pattern, plain in RULES["banned"].items()}
EXEMPT = {(entry["path"], entry["pattern"]) for entry in RULES.get("exempt", [])}
FOLDERS = ("packages", "conformance", "scripts", "benchmarks", "schemas", "docs", "examples")
SKIPPED = {"node_modules", "build", "dist", "_generated", "__snapshots__", "contract"}
#: Shared test data: its strings are compared byte for byte, and are not prose.
VECTORS = ROOT / "docs/test-vectors"
STRINGS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)}


def files() -> Iterator[Path]:
    """Give the files whose prose people write."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".md", ".py", ".ts", ".json"} or path.name.endswith(".d.ts"):
                continue
            parts = path.relative_to(ROOT).parts
            if SKIPPED & set(parts) or any(part.startswith(".") for part in parts):
                continue
            if path.suffix == ".json" and "schemas" not in parts[:1]:
                continue
            if VECTORS in path.parents and path.name != "README.md":
                continue
            if path.name not in {"conformance-report.md", "benchmarks.md"}:
                yield path


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a file that hold prose, with their numbers."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in STRINGS:
                for offset, line in enumerate(token.string.splitlines()):
                    yield token.start[0] + offset, line
            elif token.type == tokenize.NAME and token.string.startswith("test_"):
                yield token.start[0], token.string.replace("_", " ")
    elif path.suffix == ".json":
        described = set(descriptions(json.loads(source)))
        for number, line in enumerate(source.splitlines(), 1):
            if any(json.dumps(text, ensure_ascii=False) in line for text in described):
                yield number, line
    else:
        yield from enumerate(source.splitlines(), 1)


def descriptions(schema: Any) -> Iterator[str]:
    """Give all titles and descriptions of a schema."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"title", "description"} and isinstance(value, str):
                yield value
            else:
                yield from descriptions(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from descriptions(item)


def problems(path: Path) -> Iterator[str]:
    """Describe each banned phrase of a file, with its line and the words to use instead."""
    name = path.relative_to(ROOT).as_posix()
    for number, line in prose(path):
        for pattern, plain in BANNED.items():
            found = pattern.search(line)
            if found and (name, pattern.pattern) not in EXEMPT:
                yield f"{name}:{number}: `{found[0]}`: write {plain}"


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_prose_is_plain(path: Path) -> None:
    found = list(problems(path))
    assert not found, "\n".join(found)


def test_exemptions_are_needed_and_have_a_reason() -> None:
    for entry in RULES.get("exempt", []):
        lines = prose(ROOT / entry["path"])
        assert any(re.search(entry["pattern"], line, re.IGNORECASE) for _, line in lines), entry
        assert entry["reason"]
