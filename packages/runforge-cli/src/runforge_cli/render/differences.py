"""A comparison of runs as text: differing values in columns, equal fields in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runforge_contracts.display import printable, shorten

from runforge_cli.render.tables import source_text
from runforge_cli.terminal.text_layout import (
    beside,
    number,
    pairs,
    paragraph,
    plural,
    terminal_width,
    width,
)

#: Maximum number of weights shown, largest change first.
TOP = 10
#: Maximum length of one value.
_LONG = 300
_COLORS = {"better": "32", "worse": "31"}
_NOT_RECORDED = "–"
_DIGEST = re.compile("[0-9a-f]{40,64}")
_TITLES = {
    "configuration": "Configuration",
    "data": "Data",
    "environment": "Environment",
    "artifacts": "Artifacts",
}
_GUIDES = {
    "linear_coefficients": "Coefficients that changed (standardized features)",
    "feature_importance": "Importances that changed (Gini)",
}


def comparison_lines(comparison: dict[str, Any], *, colored: bool = False) -> Iterator[str]:
    """Yield the lines of a ``comparison.v1`` document.

    Parameters
    ----------
    comparison
        The raw document.
    colored
        Whether to colour better and worse metrics.
    """
    letters = letters_of(len(comparison["runs"]))
    count = len(comparison["runs"])
    yield from paragraph(f"{count} runs; {letters[0]} is the baseline")
    yield from pairs(zip(letters, map(_run, _distinct(comparison["runs"])), strict=True))
    yield ""
    texts = [item["text"] for item in comparison["conclusions"]]
    yield from pairs(zip(letters[1:], texts, strict=True))
    fields = {
        "configuration": [*comparison["configuration"], *comparison["hyperparameters"]],
        "data": comparison["data"],
        "environment": comparison["environment"],
    }
    for group, members in fields.items():
        yield from _section(_TITLES[group], _field_lines(members, letters))
        if group == "data":
            yield from _section("Metrics", _metric_lines(comparison, letters, colored=colored))
            for weights in comparison["weights"]:
                title = _GUIDES[weights["kind"]]
                yield from _section(title, _weight_lines(weights, letters))
    content = comparison.get("model_content")
    digests = [*comparison["artifacts"], *([content] if content else [])]
    yield from _section(_TITLES["artifacts"], _digest_lines(digests, letters))


def letters_of(count: int) -> list[str]:
    """Return a short name for each run: A to Z, then AA and so on."""
    names = []
    for index in range(count):
        name, rest = "", index
        while rest >= 0:
            name = chr(ord("A") + rest % 26) + name
            rest = rest // 26 - 1
        names.append(name)
    return names


def value_text(value: Any) -> str:
    """Return a recorded value for display."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return shorten(", ".join(map(str, value)), _LONG) or "none"
    if isinstance(value, (dict, list)):
        return shorten(json.dumps(value, ensure_ascii=False), _LONG)
    text = str(value)
    if _DIGEST.fullmatch(text):
        return f"{text[:12]}…"
    return shorten(text, _LONG)


def field_texts(field: dict[str, Any]) -> list[str]:
    """Return the value of a field in each run; for lists and maps, only the members that differ."""
    values = [entry["value"] for entry in field["values"] if "value" in entry]
    texts = []
    for entry in field["values"]:
        if "value" not in entry:
            texts.append(_NOT_RECORDED)
            continue
        value = entry["value"]
        if len(values) > 1 and all(isinstance(item, list) for item in values):
            text = _own_items(value, values)
        elif len(values) > 1 and all(isinstance(item, dict) for item in values):
            text = _own_members(value, values)
        else:
            text = value_text(value)
        source = entry.get("source")
        texts.append(f"{text} ({source_text(source)})" if source else text)
    return texts


def _own_items(value: list[Any], values: Sequence[list[Any]]) -> str:
    """Return the items of a list that are not in all lists, else those it lacks, else all."""
    keyed = [{json.dumps(item): item for item in other} for other in values]
    union = {key: item for other in keyed for key, item in other.items()}
    present = {json.dumps(item) for item in value}
    shared = {key for key in union if all(key in other for other in keyed)}
    own = [union[key] for key in union if key in present - shared]
    lacking = [union[key] for key in union if key not in present]
    if not present & shared or not (own or lacking):
        return value_text(value)
    return f"with {value_text(own)}" if own else f"without {value_text(lacking)}"


def _own_members(value: dict[str, Any], values: Sequence[dict[str, Any]]) -> str:
    """Return the members of a map that differ between the maps."""
    names = dict.fromkeys(name for other in values for name in other)
    own = [
        f"{name}={value_text(value[name]) if name in value else ''}"
        for name in names
        if any(name not in other or other[name] != value.get(name) for other in values)
    ]
    return shorten(", ".join(own), _LONG)


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield from paragraph(title)
        yield from lines


def _distinct(runs: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the runs, and whether the folder is needed to distinguish runs of the same id."""
    ids = [run["run_id"] for run in runs]
    for run in runs:
        yield run, ids.count(run["run_id"]) > 1


def _run(item: tuple[dict[str, Any], bool]) -> str:
    run, with_folder = item
    parts = [run["run_dir"] if with_folder else run["run_id"], run["status"]]
    if "name" in run:
        parts.append(shorten(run["name"], 60))
    if "rerun_from" in run:
        parts.append(f"repeats {run['rerun_from']}")
    error = run.get("error")
    if error:
        parts.append(shorten(error.get("message") or error.get("code", ""), _LONG))
    return ", ".join(parts)


def _field_lines(fields: Sequence[dict[str, Any]], letters: Sequence[str]) -> list[str]:
    rows, equal = list[Sequence[str]](), list[str]()
    partly: dict[str, dict[str, str]] = {}
    for field in fields:
        sources = {entry.get("source") for entry in field["values"]}
        if field["agreement"] == "incomplete":
            texts = field_texts(field)
            holders = [index for index, entry in enumerate(field["values"]) if "value" in entry]
            who = ", ".join(letters[index] for index in holders)
            partly.setdefault(who, {})[field["name"]] = texts[holders[0]]
        elif field["agreement"] == "different" or len(sources) > 1:
            rows.append([field["name"], *field_texts(field)])
        else:
            equal.append(field["name"])
    lines = [*beside(["", *letters], rows), *_equal(equal)]
    for who, items in partly.items():
        text = "; ".join(f"{name} {value}" for name, value in items.items())
        if len(items) > TOP or len(text) > _LONG:
            text = _grouped(items)
        lines += paragraph(f"only in {who}: {text}", indent=2)
    return lines


def _equal(names: Sequence[str]) -> list[str]:
    """Return one line with the names of equal fields, grouped if there are many."""
    if not names:
        return []
    text = ", ".join(names)
    if width(printable(text)) > terminal_width() - 9:
        text = _grouped(names)
    return paragraph(f"equal: {text}", indent=2)


def _grouped(names: Iterable[str]) -> str:
    """Return the first parts of dotted names, with their counts."""
    groups: dict[str, int] = {}
    for name in names:
        group = name.partition(".")[0]
        groups[group] = groups.get(group, 0) + 1
    return ", ".join(name if count == 1 else f"{name} ({count})" for name, count in groups.items())


def _metric_lines(
    comparison: dict[str, Any], letters: Sequence[str], *, colored: bool
) -> list[str]:
    rows, equal, classes = [], [], []
    for metric in comparison["metrics"]:
        if metric["agreement"] == "equal":
            equal.append(metric)
        elif "class" not in metric:
            rows.append([_metric_name(metric), *map(_metric_text, metric["values"])])
        elif metric["name"] == "f1" and metric["agreement"] == "different":
            classes.append(metric)
    lines = [_paint(line) if colored else line for line in beside(["", *letters], rows)]
    if equal:
        texts = [
            f"{metric['name']} {number(metric['values'][0]['value'])}"
            for metric in equal
            if "class" not in metric
        ]
        lines += paragraph(f"equal: {', '.join(texts)}", indent=2) if texts else []
    if classes:
        classes.sort(key=_greatest_delta, reverse=True)
        shown = [
            [f"f1 of {metric['class']}", *map(_metric_text, metric["values"])]
            for metric in classes[:TOP]
        ]
        lines += ["", "  By class", *beside(["", *letters], shown)]
        if len(classes) > TOP:
            lines += paragraph(
                f"and {plural(len(classes) - TOP, 'more class', 'more classes')}", indent=2
            )
    return lines


def _greatest_delta(metric: dict[str, Any]) -> float:
    return max(abs(float(entry.get("delta", 0))) for entry in metric["values"])


def _metric_name(metric: dict[str, Any]) -> str:
    name: str = metric["name"]
    return f"{name} (lower is better)" if metric["lower_is_better"] else name


def _metric_text(entry: dict[str, Any]) -> str:
    if "value" not in entry:
        return _NOT_RECORDED
    text = number(entry["value"])
    if "delta" not in entry:
        return text
    if entry["verdict"] == "equal":
        return f"{text} ="
    return f"{text} {signed(entry['delta'])} {entry['verdict']}"


def signed(value: float) -> str:
    """Return a difference with an explicit sign."""
    return ("+" if value > 0 else "−" if value < 0 else "±") + number(abs(value))


def _paint(line: str) -> str:
    for word, color in _COLORS.items():
        line = line.replace(f" {word}", f" \x1b[{color}m{word}\x1b[0m")
    return line


def _weight_lines(weights: dict[str, Any], letters: Sequence[str]) -> list[str]:
    moved = weights["moved"]
    several = len({item.get("class") for item in moved}) > 1
    rows = []
    for item in moved[:TOP]:
        name = f"{item['feature']} ({item['class']})" if several else item["feature"]
        rows.append([name, *map(_weight_text, item["values"])])
    lines = beside(["", *letters], rows)
    left = len(moved) - len(rows)
    if left:
        lines += paragraph(f"and {left:,} that changed less", indent=2)
    if weights["unmoved"]:
        lines += paragraph(f"equal: {weights['unmoved']:,}", indent=2)
    return lines


def _weight_text(entry: dict[str, Any]) -> str:
    if "value" not in entry:
        return _NOT_RECORDED
    text = signed(entry["value"])
    return f"{text} ({signed(entry['delta'])})" if entry.get("delta") else text


def _digest_lines(fields: Sequence[dict[str, Any]], letters: Sequence[str]) -> list[str]:
    rows, equal = [], []
    for field in fields:
        if field["agreement"] == "equal":
            equal.append(field["name"])
            continue
        digests = [entry.get("value") for entry in field["values"]]
        rows.append([field["name"], *(f"{d[:8]}…" if d else _NOT_RECORDED for d in digests)])
    return [*beside(["", *letters], rows), *_equal(equal)]
