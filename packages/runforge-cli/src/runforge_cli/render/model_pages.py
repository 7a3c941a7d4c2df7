"""The inspection of a model file as text: contents, imports and findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import printable, shorten

from runforge_cli.terminal.text_layout import GAP, pairs, paragraph, plural, table

#: Maximum lines of a table, names of a list, and characters of a name and of a message.
_LINES, _NAMES, _SHORT, _LONG = 20, 50, 60, 300
#: Maximum width of a cell in a column that does not shrink.
_CELL = 24


def model_lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of an ``artifact_inspection.v0.2.2.2`` document.

    Parameters
    ----------
    document
        The document, with all fields that RunForge writes.
    """
    yield from paragraph(f"Model {shorten(document['artifact_path'], _LONG)}: {_verdict(document)}")
    yield from pairs(_file(document))
    if document["findings"]:
        yield from _section("Findings")
        yield from pairs(_findings(document["findings"]))
    if document["pipeline_steps"]:
        yield from _section("Pipeline")
        yield from pairs(_steps(document["pipeline_steps"]))
    for title, name in (("Features", "feature_names"), ("Classes", "classes")):
        if document.get(name):
            yield from _section(f"{title} ({len(document[name]):,})")
            yield from paragraph(_list(document[name]), indent=2)
    if document["arrays"]:
        yield from _section(f"Arrays ({document['array_count']:,})")
        rows = [
            [item["path"], _cell(item["dtype"]), _cell(_shape(item["shape"]))]
            for item in document["arrays"]
        ]
        yield from _table(("array", "type", "shape"), rows, document["array_count"], "array")
    if document["globals"]:
        yield from _section("Imports when the file is loaded")
        # Refused imports come first.
        uses = sorted(document["globals"], key=lambda use: use["allowed"])
        rows = [
            [
                "allowed" if use["allowed"] else "REFUSED",
                f"{use['module']}.{use['name']}",
                f"{use['count']:,}",
            ]
            for use in uses
        ]
        yield from _table(("verdict", "name", "uses"), rows, len(rows), "name", right=(2,))


def _section(title: str) -> Iterator[str]:
    yield ""
    yield from paragraph(title)


def _verdict(document: dict[str, Any]) -> str:
    errors = sum(finding["severity"] == "error" for finding in document["findings"])
    if document["clean"]:
        return "clean"
    return f"not clean, {plural(errors, 'error')}; do not load it"


def _file(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    packed = document["compression"]
    yield "size", plural(document["bytes"], "byte") + ("" if packed == "none" else f", {packed}")
    for name, title in (("sha256", "sha256"), ("content_sha256", "content")):
        if name in document:
            yield title, document[name]
    if "library_version" in document:
        yield "made by", f"scikit-learn {document['library_version']}"
    if "n_features" in document:
        yield "features", f"{document['n_features']:,}"
    if "trees" in document:
        trees = document["trees"]
        nodes = plural(trees["node_count"], "node")
        yield "trees", f"{trees['count']:,} with {nodes}, at most {trees['max_depth']:,} deep"


def _findings(findings: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for finding in findings[:_LINES]:
        where = f", byte {finding['offset']:,}" if "offset" in finding else ""
        message = shorten(finding["message"], _LONG)
        yield finding["severity"], f"{message} [{finding['code']}{where}]"
    if len(findings) > _LINES:
        yield "", f"… and {plural(len(findings) - _LINES, 'more finding', 'more findings')}"


def _steps(steps: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for step in steps[:_LINES]:
        module = f" ({shorten(step['module'], _SHORT)})" if step["module"] else ""
        yield shorten(step["name"], _CELL), shorten(step["type"], _SHORT) + module
        if step["hyperparameters"]:
            values = [f"{key}={_value(value)}" for key, value in step["hyperparameters"].items()]
            yield "", _list(values)
    if len(steps) > _LINES:
        yield "", f"… and {plural(len(steps) - _LINES, 'more step', 'more steps')}"


def _value(value: Any) -> str:
    """Return the Python representation of a hyperparameter."""
    if isinstance(value, dict) and value.keys() == {"text"}:
        return f"<{value['text']}>"
    return repr(value)


def _list(values: Sequence[Any]) -> str:
    shown = ", ".join(shorten(printable(str(value)), _SHORT) for value in values[:_NAMES])
    left = len(values) - _NAMES
    return shown + (f" and {left:,} more" if left > 0 else "")


def _cell(text: str) -> str:
    return shorten(printable(text), _CELL)


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(f"{length:,}" for length in shape) or "scalar"


def _table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    total: int,
    noun: str,
    right: Sequence[int] = (),
) -> Iterator[str]:
    flexible = header.index(noun)
    yield from table(header, rows[:_LINES], right=right, flexible=flexible, cut=True, indent=2)
    left = total - len(rows[:_LINES])
    if left > 0:
        yield f"{GAP}… and {plural(left, f'more {noun}', f'more {noun}s')}"
