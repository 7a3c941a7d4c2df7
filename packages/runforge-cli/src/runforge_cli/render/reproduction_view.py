"""The report of a reproduction as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_cli.terminal.text_layout import beside, pairs, paragraph, plural, table

#: Maximum number of lines of each kind; `--json` has all of them.
_SHOWN = 12
#: Maximum number of differing numbers in one file that are listed individually.
_SINGLY = 4


def reproduction_lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a ``reproduction.v1`` document."""
    yield from paragraph(f"Run {report['run_id']}: {report['verdict']}")
    yield from pairs(_summary(report))
    if report["artifacts"]:
        yield ""
        yield "Compared"
        rows = [(item["path"], _artifact(item)) for item in report["artifacts"]]
        yield from table(("", ""), rows, flexible=0, indent=2)
    for title, lines in (
        ("Differences", _differences(report)),
        ("Reasons", _reasons(report)),
        ("Environment differences without effect", _harmless(report)),
        ("Not checked", _unchecked(report)),
    ):
        if lines:
            yield ""
            yield title
            yield from lines


def _summary(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    data = report.get("dataset")
    if data:
        expected, found = data.get("expected_sha256", ""), data.get("found_sha256")
        state = "not found" if found is None else "as recorded" if found == expected else "changed"
        yield "dataset", f"{data['path']} (sha256 {expected[:12]}…), {state}"
    if "predictions" in report:
        compared = report["predictions"]
        rows = plural(compared["rows"], "row")
        yield (
            "predictions",
            (
                f"equal on all {rows}"
                if not compared["differing_rows"]
                else f"different on {compared['differing_rows']:,} of {rows}"
            ),
        )
    if "parameters" in report:
        compared = report["parameters"]
        where = f", at {compared['place']}" if "place" in compared else ""
        largest = f"largest difference {compared['largest_difference']:.2g}{where}"
        yield "model", largest if compared["largest_difference"] else "equal parameters"
    if "kept" in report:
        yield "kept in", report["kept"]


def _artifact(item: dict[str, Any]) -> str:
    if item["identical"]:
        return "identical"
    if "rebuilt_sha256" not in item:
        return "not produced here"
    if "found_sha256" not in item and "recorded_sha256" not in item:
        return "not in the run"
    return "different bytes"


def _differences(report: dict[str, Any]) -> list[str]:
    """Return the differences; if there are many numbers in one file, only their count."""
    by_file: dict[str, list[dict[str, Any]]] = {}
    for item in report["differences"]:
        by_file.setdefault(item["field"].partition("#")[0], []).append(item)
    rows, counted = [], []
    for file, items in by_file.items():
        numbers = [item["difference"] for item in items if "difference" in item]
        if len(numbers) == len(items) > _SINGLY:
            counted.append((file, f"{len(items)} numbers differ by at most {max(numbers):.2g}"))
        else:
            rows += [
                (item["field"], _value(item, "recorded"), _value(item, "here")) for item in items
            ]
    left = len(rows[_SHOWN:]) + report.get("differences_omitted", 0)
    return _triples(rows[:_SHOWN]) + pairs(counted) + _more(left)


def _reasons(report: dict[str, Any]) -> list[str]:
    explained = [item for item in report["reasons"] if "message" in item]
    plain = [item for item in report["reasons"] if "message" not in item]
    lines = pairs(("-", _sentence(item)) for item in explained[:_SHOWN])
    lines += _more(len(explained) - _SHOWN)
    rows = [(item["field"], _value(item, "recorded"), _value(item, "here")) for item in plain]
    lines += _triples(rows[:_SHOWN]) + _more(len(rows) - _SHOWN)
    if not lines and report["verdict"] not in ("identical bytes", "not reproducible here"):
        return paragraph(
            "The recorded environment does not differ: the record or its files were changed, or"
            " something that is not recorded was different.",
            indent=2,
        )
    return lines


def _harmless(report: dict[str, Any]) -> list[str]:
    if report["reasons"]:
        return []
    rows = [
        (item["field"], _value(item, "recorded"), _value(item, "here"))
        for item in report["environment"]
    ]
    return _triples(rows[:_SHOWN]) + _more(len(rows) - _SHOWN)


def _unchecked(report: dict[str, Any]) -> list[str]:
    items = [(item["what"], item["why"]) for item in report["not_checked"]]
    return pairs(items[:_SHOWN]) + _more(len(items) - _SHOWN)


def _sentence(item: dict[str, Any]) -> str:
    values = [
        f"{word} {_value(item, name)}"
        for name, word in (("recorded", "recorded"), ("here", "here"))
        if name in item
    ]
    return f"{item['message']} [{item['field']}{': ' if values else ''}{', '.join(values)}]"


def _triples(rows: list[tuple[str, str, str]]) -> list[str]:
    return beside(("", "recorded", "here"), rows)


def _more(left: int) -> list[str]:
    return [f"  … and {left:,} more"] if left > 0 else []


def _value(item: dict[str, Any], name: str) -> str:
    if name not in item:
        return "(none)"
    value = item[name]
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
