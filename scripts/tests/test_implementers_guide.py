"""Every example on the implementers' page is what our client does; its links lead somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guide_pages import GUIDES, ROOT
from runforge_contracts.codec.pointers import remove_at, set_at
from runforge_contracts.codec.strict_json import MAX_DEPTH, encode_json
from runforge_contracts.display import format_duration
from runforge_contracts.documents import REMOVE, Document, struct_of
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import primary_metric

PAGE = (GUIDES / "implementers.md").read_text("utf-8")
VECTORS = ROOT / "docs/test-vectors"
_FILE = re.compile(
    r"`(?P<file>[^`]+\.json)`(?: (?P<how>with|without) `(?P<at>[^`]+)`(?: `(?P<value>[^`]+)`)?)?"
)


def table(header: str) -> list[list[str]]:
    """Return the rows of the table whose header begins with these cells."""
    lines = iter(PAGE.splitlines())
    assert any(line.startswith(header) for line in lines), header
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert len(rows) > 1
    return rows[1:]


def bare(cell: str) -> str:
    """Return the text of a cell in code style."""
    assert cell.startswith("`"), cell
    return cell.strip("`")


def files(cell: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a cell with their contents, changed as the cell says."""
    found = list(_FILE.finditer(cell))
    assert found, cell
    for match in found:
        content = (VECTORS / match["file"]).read_bytes()
        if match["how"]:
            document = json.loads(content)
            if match["how"] == "with":
                set_at(document, match["at"], json.loads(match["value"]))
            else:
                remove_at(document, match["at"])
            content = encode_json(document)
        yield match["file"], content


def name_of(file: str) -> str:
    """Return the document that a vector holds."""
    parts = file.split("/")
    return parts[1] if parts[0] == "raw" else ".".join(parts[0].split(".")[:2])


def load(file: str, content: bytes) -> Document[Any]:
    return Document.parse(content, struct_of(name_of(file)))


@pytest.mark.parametrize("row", table("| wrong in a document |"), ids=lambda row: row[0])
def test_what_is_wrong_is_refused_with_its_code_and_place(row: list[str]) -> None:
    _, cell, code, place = row
    ((file, content),) = files(cell)
    with pytest.raises(RunForgeError) as refused:
        load(file, content)
    assert refused.value.code == bare(code)
    assert (refused.value.location.pointer or "") == (bare(place) if place else "")


@pytest.mark.parametrize("row", table("| right in a document |"), ids=lambda row: row[0])
def test_what_is_right_is_accepted(row: list[str]) -> None:
    for file, content in files(row[1]):
        document = load(file, content)
        assert bool(document.warnings) is ("with a warning" in row[0])


def test_every_step_has_known_codes() -> None:
    for row in table("| step | refused with |"):
        codes = re.findall(r"`(\w+)`", row[1])
        assert codes
        assert set(codes) <= {code.value for code in ErrorCode}
    assert f"{MAX_DEPTH} levels" in PAGE


def test_durations_are_those_of_the_client_and_of_the_cases() -> None:
    cases = json.loads((VECTORS / "cases/result.v1/duration.json").read_bytes())["cases"]
    known = {
        case["input"]["set"]["/duration_ms"]: case["expect"].get("view", {}).get("duration")
        for case in cases
        if "/duration_ms" in case["input"].get("set", {})
    }
    rows = table("| `duration_ms` | shown |")
    for number, shown, _ in rows:
        assert format_duration(int(number)) == bare(shown)
        assert known.get(int(number), bare(shown)) == bare(shown)
    assert len({int(row[0]) for row in rows} & known.keys()) >= 8


def test_thresholds_of_durations() -> None:
    letters = []
    for least, divisor, shown in table("| from, in milliseconds |"):
        letter = bare(shown).lstrip("0123456789.")
        assert format_duration(int(least)).strip("0123456789.") == letter
        assert least == "0" or format_duration(int(least) - 1).strip("0123456789.") != letter
        if divisor:
            assert format_duration(int(divisor) * 3 // 2) == f"1.5{letter}"
        letters.append(letter)
    assert letters == ["ms", "s", "m", "h"]


@pytest.mark.parametrize("row", table("| `summary` | primary metric |"), ids=lambda row: row[1])
def test_primary_metrics(row: list[str]) -> None:
    metric = primary_metric(json.loads(bare(row[0])))
    assert (metric and metric._asdict()) == json.loads(bare(row[1]))


@pytest.mark.parametrize("row", table("| set | remove | effect |"), ids=lambda row: row[0] + row[1])
def test_edits(row: list[str]) -> None:
    start = json.loads((VECTORS / "request.v1.min.json").read_bytes())
    start["tags"] = ["a", "b"]
    start["future"] = {"a/b": 1, "m~n": 2, "a~1b": 3, "": 4}
    assert '`"tags":\n["a", "b"]`' in PAGE
    assert f'`"future": {json.dumps(start["future"])}`' in PAGE
    changes = json.loads(bare(row[0])) if row[0] else {}
    removed = json.loads(bare(row[1])) if row[1] else []
    document = load("request.v1.min.json", encode_json(start))
    edit = {**changes, **dict.fromkeys(removed, REMOVE)}
    effect = re.fullmatch(r"`(/\w+)` is `(.*)`", row[2])
    if effect is None:
        with pytest.raises(RunForgeError) as refused:
            document.edit(edit)
        assert refused.value.code == bare(row[2])
        assert document.raw == start
    else:
        document.edit(edit)
        expected = {**start, effect[1].removeprefix("/"): json.loads(effect[2])}
        assert document.raw == expected


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ["implementers.md", "conformance.md"])
def test_links_to_sections_lead_there(page: str) -> None:
    text = (GUIDES / page).read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text)
    assert len(links) > 5
    for target, anchor in links:
        file = (GUIDES / target).resolve() if target else GUIDES / page
        there = Path(file).read_text("utf-8")
        anchors = {slug(heading) for heading in re.findall(r"^#+ (.*)$", there, re.MULTILINE)}
        anchors |= set(re.findall(r'<a id="([^"]+)">', there))
        assert anchor in anchors, f"{target}#{anchor}"
