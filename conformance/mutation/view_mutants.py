"""Clients that show a document otherwise: rounded, cut, sorted, chosen by another policy."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import runforge_contracts.documents as documents
from recording import load_harness
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import all_cases
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import in_schema_order, load_schema
from wrong_client import Mutant, Patch

_harness = load_harness("python")
_view, _duration, _primary = _harness.view, _harness.format_duration, _harness.primary_metric
_PREFERRED = ("accuracy", "f1_score", "loss")
Shown = dict[str, Any]


def view_mutants() -> Iterator[Mutant]:
    """Yield clients that show documents otherwise, or say otherwise why they refuse one."""
    for name, text in _DURATIONS.items():
        patch = (_harness, "format_duration", text)
        yield Mutant("duration", f"duration/{name}", _just(patch), partial(_shown, "result.v1"))
    for name, choose in _METRICS.items():
        patch = (_harness, "primary_metric", choose)
        yield Mutant(
            "primary metric", f"primary/{name}", _just(patch), partial(_shown, "result.v1")
        )
    for document, changes in _VIEWS.items():
        for name, change in changes.items():
            patch = (_harness, "view", partial(_changed, change))
            yield Mutant(
                f"view of a {document.partition('.')[0]}",
                f"view/{document}/{name}",
                _just(patch),
                partial(_shown, document),
            )
    for name, tell in _REFUSALS.items():
        patch = (_harness.Client, "answer", _method(tell))
        yield Mutant("refusal", f"refusal/{name}", _just(patch), _refused, strict=True)
    for name, identify in _VERSIONS.items():
        patch = (documents, "identify", identify)
        yield Mutant("version", f"version/{name}", _just(patch), _versions)
    for name, write in _WRITERS.items():
        patch = (_harness.Client, "write", _method(write))
        yield Mutant("writer", f"writer/{name}", _just(patch), _written)


def _just(patch: Patch) -> Callable[[], Iterable[Patch]]:
    return lambda: [patch]


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, message: function(self, message)


@cache
def _shown(document: str) -> list[Case]:
    """Return the cases with a view of a document; ``run`` is a record of any version."""
    return [
        case
        for case in all_cases()
        if case.op == "read"
        and str(case.document).startswith(document)
        and (case.expect.view or "warns" in repr(case.expect))
        and case.expect.outcome == "accepted"
    ]


@cache
def _refused() -> list[Case]:
    found = [
        case for case in all_cases() if case.op == "read" and case.expect.outcome == "rejected"
    ]
    return sorted(found, key=lambda case: "/boundaries/" in case.id)[:1500]


@cache
def _versions() -> list[Case]:
    found = [case for case in all_cases() if case.op in ("read", "roundtrip", "edit")]
    return sorted(found, key=lambda case: "ersion" not in case.id)[:1500]


@cache
def _written() -> list[Case]:
    found = [case for case in all_cases() if case.op == "write"]
    return sorted(found, key=lambda case: "computable" not in case.id)


def _unit(
    milliseconds: float,
    *,
    seconds_from: float = 1_000,
    minutes_from: float = 60_000,
    hours_from: float = 3_600_000,
    rounded: Callable[[float], float] | None = None,
    digits: int = 1,
) -> str:
    value = int(milliseconds)
    if value < seconds_from:
        return f"{value}ms"
    unit, letter = 3_600_000, "h"
    if value < minutes_from:
        unit, letter = 1_000, "s"
    elif value < hours_from:
        unit, letter = 60_000, "m"
    if rounded is None:
        scale = 10**digits
        tenths = (2 * scale * value + unit) // (2 * unit)
        return f"{tenths / scale:.{digits}f}{letter}"
    return f"{rounded(value / unit * 10) / 10:.1f}{letter}"


def _after_rounding(milliseconds: float) -> str:
    text = _duration(milliseconds)
    return {"60.0s": "1.0m", "60.0m": "1.0h"}.get(text, text)


def _whole(milliseconds: float) -> str:
    return re.sub(r"\.[0-9]", "", _duration(milliseconds))


_DURATIONS: dict[str, Callable[[float], str]] = {
    "seconds from 999": partial(_unit, seconds_from=999),
    "seconds after 1000": partial(_unit, seconds_from=1_001),
    "minutes from 59 999": partial(_unit, minutes_from=59_999),
    "minutes after 60 000": partial(_unit, minutes_from=60_001),
    "minutes from 100 seconds": partial(_unit, minutes_from=100_000),
    "minutes from 90 seconds": partial(_unit, minutes_from=90_000),
    "hours from 3 599 999": partial(_unit, hours_from=3_599_999),
    "hours after 3 600 000": partial(_unit, hours_from=3_600_001),
    "hours from 90 minutes": partial(_unit, hours_from=5_400_000),
    "no hours": partial(_unit, hours_from=math.inf),
    "no minutes": partial(_unit, minutes_from=math.inf),
    "no milliseconds": partial(_unit, seconds_from=0),
    "cut": partial(_unit, rounded=math.floor),
    "rounded up": partial(_unit, rounded=math.ceil),
    "halves to even, as a double": partial(_unit, rounded=round),
    "halves down": partial(_unit, rounded=lambda value: math.ceil(value - 0.5)),
    "as C prints it": lambda ms: (
        _duration(ms)
        if ms < 1_000
        else f"{ms / 1_000:.1f}s"
        if ms < 60_000
        else f"{ms / 60_000:.1f}m"
        if ms < 3_600_000
        else f"{ms / 3_600_000:.1f}h"
    ),
    "two digits": partial(_unit, digits=2),
    "unit after rounding": _after_rounding,
    "no digits": _whole,
    "no digit if it is zero": lambda ms: _duration(ms).replace(".0", ""),
    "decimal comma": lambda ms: _duration(ms).replace(".", ","),
    "blank before the unit": lambda ms: re.sub("([a-z])", r" \1", _duration(ms), count=1),
    "unit in words": lambda ms: (
        _duration(ms).replace("m", "min") if ms >= 60_000 else _duration(ms)
    ),
    "capital units": lambda ms: _duration(ms).upper(),
    "milliseconds with a digit": lambda ms: f"{float(ms):.1f}ms" if ms < 1_000 else _duration(ms),
    "milliseconds as they are written": lambda ms: f"{ms}ms" if ms < 1_000 else _duration(ms),
    "days": lambda ms: f"{ms / 86_400_000:.1f}d" if ms >= 86_400_000 else _duration(ms),
    "days from 100 hours": lambda ms: f"{ms / 86_400_000:.1f}d" if ms > 3.6e8 else _duration(ms),
    "minutes and seconds": lambda ms: (
        f"{int(ms) // 60_000}m {int(ms) // 1_000 % 60}s" if 60_000 <= ms < 3.6e6 else _duration(ms)
    ),
    "clock": lambda ms: (
        f"{int(ms) // 3_600_000}:{int(ms) // 60_000 % 60:02}" if ms >= 3.6e6 else _duration(ms)
    ),
    "thousands set apart": lambda ms: re.sub(r"([0-9])(?=([0-9]{3})+\.)", r"\1,", _duration(ms)),
    "32 bits": lambda ms: _duration(int(ms) % 2**32),
    "exponent for what is large": lambda ms: (
        f"{ms / 3_600_000:.3g}h" if ms > 3.6e9 else _duration(ms)
    ),
    "zero is nothing": lambda ms: _duration(ms) if ms else "",
    "at least one millisecond": lambda ms: _duration(ms or 1),
    "seconds alone": lambda ms: f"{ms / 1_000:.1f}s",
}


def _policy(
    names: Iterable[str] = _PREFERRED,
    *,
    given: bool = True,
    key: Callable[[str], Any] = lambda name: name,
    last: bool = False,
) -> Callable[[Any], Any]:
    def choose(summary: Any) -> Any:
        if not summary:
            return None
        if given and summary.get("primary_metric"):
            return _primary(summary)
        metrics = summary.get("metrics") or {}
        found = [name for name in names if name in metrics]
        order = sorted(metrics, key=key, reverse=last)
        name = next(iter([*found, *order]), None)
        return None if name is None else (name, metrics[name])

    return choose


def _of(change: Callable[[str, Any], Any]) -> Callable[[Any], Any]:
    def choose(summary: Any) -> Any:
        found = _primary(summary)
        return found and change(found[0], found[1])

    return choose


def _if_listed(summary: Any) -> Any:
    chosen = (summary or {}).get("primary_metric")
    if chosen and chosen["name"] not in (summary.get("metrics") or {}):
        return _policy(given=False)(summary)
    return _primary(summary)


def _value_of_list(summary: Any) -> Any:
    found = _primary(summary)
    return found and (found[0], (summary.get("metrics") or {}).get(found[0]))


def _extreme(best: Callable[..., str]) -> Callable[[Any], Any]:
    def choose(summary: Any) -> Any:
        metrics = (summary or {}).get("metrics") or {}
        if (summary or {}).get("primary_metric") or not metrics:
            return _primary(summary)
        name = best(metrics, key=metrics.__getitem__)
        return name, metrics[name]

    return choose


def _as_listed(summary: Any, *, at: int = 0) -> Any:
    metrics = (summary or {}).get("metrics") or {}
    if (summary or {}).get("primary_metric") or any(name in metrics for name in _PREFERRED):
        return _primary(summary)
    return list(metrics.items())[at] if metrics else None


def _loose(summary: Any, *, alike: Callable[[str, str], bool]) -> Any:
    metrics = (summary or {}).get("metrics") or {}
    if not (summary or {}).get("primary_metric"):
        for name in _PREFERRED:
            for key in metrics:
                if alike(key, name):
                    return key, metrics[key]
    return _primary(summary)


def _without_accents(text: str) -> str:
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text)).casefold()


_METRICS: dict[str, Callable[[Any], Any]] = {
    "the given one ignored": _policy(given=False),
    "the given one only if it is listed": _if_listed,
    "the listed value of the given one": _value_of_list,
    "no accuracy": _policy(("f1_score", "loss")),
    "no F1": _policy(("accuracy", "loss")),
    "no loss": _policy(("accuracy", "f1_score")),
    "F1 before accuracy": _policy(("f1_score", "accuracy", "loss")),
    "loss before F1": _policy(("accuracy", "loss", "f1_score")),
    "loss first": _policy(("loss", "accuracy", "f1_score")),
    "F1 by another name": _policy(("accuracy", "f1", "loss")),
    "precision, too": _policy((*_PREFERRED, "precision", "recall")),
    "the first of all in order": _policy(()),
    "the first as listed": _as_listed,
    "the last as listed": partial(_as_listed, at=-1),
    "the last in order": _policy(last=True),
    "order without case": _policy(key=str.lower),
    "order without accents": _policy(key=_without_accents),
    "order of UTF-16": _policy(key=lambda name: name.encode("utf-16-be")),
    "order by length": _policy(key=lambda name: (len(name), name)),
    "order without underscores": _policy(key=lambda name: name.replace("_", "")),
    "the longer name first": _policy(key=lambda name: name + "\U0010ffff"),
    "names in any case": partial(_loose, alike=lambda key, name: key.lower() == name),
    "names that contain it": partial(_loose, alike=lambda key, name: name in key),
    "names that start with it": partial(_loose, alike=lambda key, name: key.startswith(name)),
    "the greatest": _extreme(max),
    "the smallest": _extreme(min),
    "zero is nothing": _of(lambda name, value: (name, value) if value else None),
    "zero is skipped": lambda summary: _primary(
        {
            **(summary or {}),
            "metrics": {k: v for k, v in ((summary or {}).get("metrics") or {}).items() if v},
        }
    ),
    "four decimals": _of(lambda name, value: (name, round(value, 4))),
    "two decimals": _of(lambda name, value: (name, round(value, 2))),
    "one decimal": _of(lambda name, value: (name, round(value, 1))),
    "six decimals": _of(lambda name, value: (name, round(value, 6))),
    "percent": _of(lambda name, value: (name, value * 100)),
    "as a string": _of(lambda name, value: (name, f"{value:.4f}")),
    "not below zero": _of(lambda name, value: (name, max(value, 0))),
    "not above one": _of(lambda name, value: (name, min(value, 1))),
    "a loss turned round": _of(lambda name, value: (name, -value if "loss" in name else value)),
    "a pretty name": _of(lambda name, value: (name.replace("_", " ").title(), value)),
    "a name in small letters": _of(lambda name, value: (name.lower(), value)),
    "a composed name": _of(lambda name, value: (unicodedata.normalize("NFC", name), value)),
    "a trimmed name": _of(lambda name, value: (name.strip(), value)),
    "never": lambda summary: None,
    "accuracy if there is none": lambda summary: _primary(summary) or ("accuracy", 0),
    "only of what has a summary of metrics": lambda summary: (
        _primary(summary) if (summary or {}).get("metrics") else None
    ),
}


def _changed(change: Callable[[Shown, Any], Any], document: Any) -> Any:
    shown = _view(document)
    change(shown, document.raw)
    return shown


def _put(name: str, value: Callable[[Any, Any], Any]) -> Callable[[Shown, Any], None]:
    def change(shown: Shown, raw: Any) -> None:
        shown[name] = value(shown.get(name), raw)

    return change


def _dropped(name: str) -> Callable[[Shown, Any], None]:
    def change(shown: Shown, raw: Any) -> None:
        del shown[name]

    return change


def _error(change: Callable[[Shown], Any]) -> Callable[[Shown, Any], None]:
    return _put("error", lambda error, raw: change(error) if error else error)


def _texts(name: str) -> dict[str, Callable[[Shown, Any], None]]:
    """Return how a string may be shown otherwise."""
    return {
        f"{name} trimmed": _put(name, lambda text, raw: text.strip()),
        f"{name} of one line": _put(name, lambda text, raw: text.replace("\n", " ")),
        f"{name} up to the line's end": _put(name, lambda text, raw: text.partition("\n")[0]),
        f"{name} without what controls": _put(
            name, lambda text, raw: "".join(c for c in text if unicodedata.category(c)[0] != "C")
        ),
        f"{name} in ASCII": _put(
            name, lambda text, raw: text.encode("ascii", "replace").decode("ascii")
        ),
        f"{name} in the basic plane": _put(
            name, lambda text, raw: re.sub("[\U00010000-\U0010ffff]", "?", text)
        ),
        f"{name} composed": _put(name, lambda text, raw: unicodedata.normalize("NFC", text)),
        f"{name} in compatible forms": _put(
            name, lambda text, raw: unicodedata.normalize("NFKC", text)
        ),
        f"{name} cut": _put(name, lambda text, raw: text[:20]),
        f"{name} cut to 80": _put(name, lambda text, raw: text[:80]),
        f"{name} in small letters": _put(name, lambda text, raw: text.lower()),
        f"{name} as HTML": _put(name, lambda text, raw: text.replace('"', "&quot;")),
        f"{name} not shown": _dropped(name),
    }


def _numbers(name: str) -> dict[str, Callable[[Shown, Any], None]]:
    """Return how a number may be shown otherwise."""
    return {
        f"{name} with two decimals": _put(name, lambda value, raw: round(value, 2)),
        f"{name} with four decimals": _put(name, lambda value, raw: round(value, 4)),
        f"{name} with six decimals": _put(name, lambda value, raw: round(value, 6)),
        f"{name} cut": _put(name, lambda value, raw: math.floor(value * 100) / 100),
        f"{name} as percent": _put(name, lambda value, raw: value * 100),
        f"{name} as a string": _put(name, lambda value, raw: str(value)),
        f"{name} as an integer": _put(name, lambda value, raw: int(value)),
        f"{name} turned round": _put(name, lambda value, raw: 1 - value),
        f"{name} not shown": _dropped(name),
        f"{name} as nothing if it is zero": _put(name, lambda value, raw: value or None),
    }


_WARNINGS: dict[str, Callable[[Shown, Any], None]] = {
    "no warnings": _put("warnings", lambda found, raw: []),
    "warnings not shown": _dropped("warnings"),
    "always a warning": _put("warnings", lambda found, raw: ["Take care."]),
    "a warning of unknown members": _put(
        "warnings",
        lambda found, raw: [*found, *(raw.keys() - load_schema("result.v1")["properties"])],
    ),
    "a warning of every version": _put("warnings", lambda found, raw: ["A version."]),
    "warnings only of the next version": _put(
        "warnings", lambda found, raw: found if raw.get("version") == 2 else []
    ),
    "warnings only of later versions": _put(
        "warnings", lambda found, raw: found if raw.get("version") != 2 else []
    ),
}
_VIEWS: dict[str, dict[str, Callable[[Shown, Any], None]]] = {
    "request.v1": {
        **_texts("name"),
        "name of nothing": _put("name", lambda text, raw: text or "Untitled"),
        "name of the dataset": _put("name", lambda text, raw: text or raw["dataset"]["path"]),
        "name null": _put("name", lambda text, raw: raw.get("name")),
        "name as null in words": _put(
            "name", lambda text, raw: text if raw.get("name") else "null"
        ),
        "tags sorted": _put("tags", lambda tags, raw: sorted(tags)),
        "tags once": _put("tags", lambda tags, raw: list(dict.fromkeys(tags))),
        "tags turned round": _put("tags", lambda tags, raw: tags[::-1]),
        "tags in small letters": _put("tags", lambda tags, raw: [tag.lower() for tag in tags]),
        "tags as a string": _put("tags", lambda tags, raw: ", ".join(tags)),
        "tags as nothing": _put("tags", lambda tags, raw: tags or None),
        "tags cut": _put("tags", lambda tags, raw: tags[:1]),
        "tags not shown": _dropped("tags"),
        "hyperparameters without null": _put(
            "hyperparameters", lambda h, raw: {k: v for k, v in h.items() if v is not None}
        ),
        "hyperparameters as texts": _put(
            "hyperparameters", lambda h, raw: {k: str(v) for k, v in h.items()}
        ),
        "hyperparameters of the client alone": _put(
            "hyperparameters", lambda h, raw: {k: v for k, v in h.items() if k != "grid"}
        ),
        "hyperparameters with integers": _put(
            "hyperparameters",
            lambda h, raw: {k: int(v) if type(v) is float else v for k, v in h.items()},
        ),
        "hyperparameters not shown": _dropped("hyperparameters"),
        "hyperparameters as nothing": _put("hyperparameters", lambda h, raw: h or None),
        "family in words": _put("model_family", lambda text, raw: text.replace("_", " ")),
        "family in capitals": _put("model_family", lambda text, raw: text.upper()),
        "family not shown": _dropped("model_family"),
        "family always the same": _put("model_family", lambda t, raw: "logistic_regression"),
        "always a warning": _WARNINGS["always a warning"],
        "a warning of unknown members": _put(
            "warnings",
            lambda found, raw: ["Unknown."] if raw.keys() - _KNOWN else [],
        ),
    },
    "result.v1": {
        **_WARNINGS,
        "status always succeeded": _put("status", lambda text, raw: "succeeded"),
        "status failed if there is an error": _put(
            "status", lambda text, raw: "failed" if raw.get("error") else text
        ),
        "cancelled as failed": _put("status", lambda t, raw: "failed" if t == "cancelled" else t),
        "failed as cancelled": _put("status", lambda t, raw: "cancelled" if t == "failed" else t),
        "status with a capital": _put("status", lambda text, raw: text.title()),
        "status spelled otherwise": _put("status", lambda text, raw: text.replace("lled", "led")),
        "status not shown": _dropped("status"),
        "error exchanged": _error(lambda e: {"message": e["type"], "type": e["message"]}),
        "error up to the line's end": _error(
            lambda e: {**e, "message": e["message"].partition("\n")[0]}
        ),
        "error trimmed": _error(lambda e: {**e, "message": e["message"].strip()}),
        "error without what controls": _error(
            lambda e: {**e, "message": re.sub(r"\x1b\[[0-9]*m", "", e["message"])}
        ),
        "error cut": _error(lambda e: {**e, "message": e["message"][:20]}),
        "error with its type": _error(lambda e: {**e, "message": f"{e['type']}: {e['message']}"}),
        "error without its type": _error(lambda e: {"message": e["message"]}),
        "error without its message": _error(lambda e: {"type": e["type"]}),
        "error as a string": _error(lambda e: e["message"]),
        "type of the error without its end": _error(
            lambda e: {**e, "type": e["type"].removesuffix("Error")}
        ),
        "type of the error in small letters": _error(lambda e: {**e, "type": e["type"].lower()}),
        "error only of failed runs": _put(
            "error", lambda error, raw: error if raw["status"] == "failed" else None
        ),
        "error only with a traceback": _put(
            "error", lambda e, raw: e if e and "traceback" in raw["error"] else None
        ),
        "traceback as the error": _put(
            "error",
            lambda e, raw: e and {**e, "message": raw["error"].get("traceback", e["message"])},
        ),
        "no error as an empty one": _put("error", lambda e, raw: e or {"message": "", "type": ""}),
        "no error left out": lambda shown, raw: shown["error"] or shown.pop("error"),
        "error not shown": _dropped("error"),
        "duration not shown": _dropped("duration"),
        "duration from the times": _put(
            "duration",
            lambda text, raw: "0ms" if "started_at" in raw and "finished_at" in raw else text,
        ),
        "primary metric not shown": _dropped("primary_metric"),
        "no primary metric left out": lambda shown, raw: (
            shown["primary_metric"] or shown.pop("primary_metric")
        ),
        "primary metric by its value": _put("primary_metric", lambda m, raw: m and m["value"]),
        "primary metric only of runs that succeeded": _put(
            "primary_metric", lambda m, raw: m if raw["status"] == "succeeded" else None
        ),
    },
    "run.": {
        **_numbers("accuracy"),
        "accuracy of the metrics by name": _put(
            "accuracy", lambda v, raw: raw.get("metrics", {}).get("num_samples", v)
        ),
        "id without its hash": _put("run_id", lambda text, raw: text[:15]),
        "id in capitals": _put("run_id", lambda text, raw: text.upper()),
        "id not shown": _dropped("run_id"),
        "family in words": _put("model_family", lambda text, raw: text.replace("_", " ")),
        "family not shown": _dropped("model_family"),
        "family null": _put("model_family", lambda text, raw: text or None),
        "family of nothing": _put("model_family", lambda text, raw: text or "logistic_regression"),
        "family unknown": _put("model_family", lambda text, raw: text or "unknown"),
        "no diagnostics": _put("diagnostics", lambda found, raw: []),
        "diagnostics not shown": _dropped("diagnostics"),
        "always a diagnostic": _put("diagnostics", lambda f, raw: ["MISSING_VALUES_DROPPED"]),
        "diagnostics twice": _put("diagnostics", lambda found, raw: found * 2),
        "diagnostics of two rows": _put(
            "diagnostics",
            lambda f, raw: f if raw["dropped_rows_missing_values"] > 1 else [],
        ),
        "diagnostics in small letters": _put(
            "diagnostics", lambda found, raw: [code.lower() for code in found]
        ),
        "another diagnostic": _put("diagnostics", lambda f, raw: ["ROWS_DROPPED"] if f else f),
        "diagnostics of one row alone": _put(
            "diagnostics",
            lambda f, raw: f if raw["dropped_rows_missing_values"] < 2 else [],
        ),
        "always a warning": _WARNINGS["always a warning"],
    },
    "metrics.": _numbers("accuracy"),
}
_KNOWN = {
    "$schema",
    *("version", "preset", "profile", "dataset", "model", "device", "seed", "created_at"),
    *("created_by", "rerun_from", "name", "tags", "notes"),
}


def _telling(change: Callable[[Shown], Any]) -> Callable[[Any, Any], Any]:
    """Return what tells another error of a refusal."""

    def tell(self: Any, message: Any) -> Any:
        answer = _answer(self, message)
        if answer["outcome"] == "rejected":
            answer = {**answer, "error": change(dict(answer.get("error", {})))}
        return answer

    return tell


def _answer(self: Any, message: Any) -> Any:
    """Do as the reference client does."""
    try:
        done = getattr(self, message["op"])(message)
    except RunForgeError as error:
        refusal = {"code": error.code, "path": error.location.pointer, "message": error.message}
        told = {key: value for key, value in refusal.items() if value is not None}
        return {"outcome": "rejected", "error": told}
    return done if "outcome" in done else {"outcome": "accepted", "view": done}


def _without(*names: str) -> Callable[[Shown], Shown]:
    return lambda error: {key: value for key, value in error.items() if key not in names}


def _path(change: Callable[[str], str]) -> Callable[[Shown], Shown]:
    return lambda error: {**error, "path": change(error["path"])} if "path" in error else error


def _code(change: Callable[[str], str]) -> Callable[[Shown], Shown]:
    return lambda error: {**error, "code": change(error["code"])}


_REFUSALS: dict[str, Callable[[Any, Any], Any]] = {
    "no code": _telling(_without("code")),
    "no path": _telling(_without("path")),
    "no message": _telling(_without("message")),
    "an empty message": _telling(lambda error: {**error, "message": ""}),
    "the same code for all": _telling(_code(lambda code: "DOCUMENT_INVALID")),
    "codes in small letters": _telling(_code(str.lower)),
    "codes with dashes": _telling(_code(lambda code: code.replace("_", "-"))),
    "one code for all texts": _telling(
        _code(lambda code: "JSON_INVALID" if code.startswith("JSON_") else code)
    ),
    "one code for all YAML": _telling(
        _code(lambda code: "YAML_INVALID" if code.startswith("YAML_") else code)
    ),
    "codes of JSON for YAML": _telling(_code(lambda code: code.replace("YAML_", "JSON_"))),
    "the root as path": _telling(_path(lambda path: "")),
    "the parent as path": _telling(_path(lambda path: path.rpartition("/")[0])),
    "a path below": _telling(_path(lambda path: f"{path}/0")),
    "a path without a slash": _telling(_path(lambda path: path.removeprefix("/"))),
    "a path with a hash": _telling(_path(lambda path: f"#{path}")),
    "a path with dots": _telling(_path(lambda path: path.replace("/", "."))),
    "a path with brackets": _telling(_path(lambda path: re.sub("/([0-9]+)", r"[\1]", path))),
    "a path counted from one": _telling(
        _path(lambda path: re.sub("/([0-9]+)", lambda m: f"/{int(m[1]) + 1}", path))
    ),
    "a path without indexes": _telling(_path(lambda path: re.sub("/[0-9]+", "", path))),
    "a path in small letters": _telling(_path(str.lower)),
    "the last part of the path": _telling(_path(lambda path: "/" + path.rpartition("/")[2])),
    "a path that is unescaped": _telling(
        _path(lambda path: path.replace("~1", "/").replace("~0", "~"))
    ),
}
_identify = documents.identify


def _versions_taken(change: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """Return what looks at another document for its version."""

    def identify(raw: Any, names: Iterable[str] = (), path: Any = None) -> Any:
        names = list(names)
        if isinstance(raw, dict) and len(names) == 1:
            raw = change(raw, names[0])
        return _identify(raw, names, path)

    return identify


def _known_version(raw: Any, name: str) -> Any:
    entry = documents.CATALOG[name]
    return {**raw, entry.version_field: entry.version} if entry.version_field else raw


def _refusing_newer(raw: Any, names: Iterable[str] = (), path: Any = None) -> Any:
    name, warnings = _identify(raw, names, path)
    if warnings:
        raise RunForgeError(ErrorCode.DOCUMENT_VERSION_UNSUPPORTED, "It is too new.")
    return name, warnings


_VERSIONS: dict[str, Callable[..., Any]] = {
    "newer results refused": _refusing_newer,
    "newer results without a warning": lambda raw, names=(), path=None: (
        _identify(raw, names, path)[0],
        (),
    ),
    "newer results up to 9": _versions_taken(
        lambda raw, name: {**raw, "version": 0} if raw.get("version") == 7 else raw
    ),
}


def _computing(value: Any) -> Callable[[Any, Any], Any]:
    """Return a writer that writes a value where one could not be computed, unchecked."""

    def write(self: Any, message: Any) -> Any:
        fields = message["params"]["fields"]
        pointers = message["params"].get("not_computable", ())
        if not pointers:
            return self._write(message)
        for pointer in pointers:
            documents.set_at(fields, pointer, value)
        data = encode_json(in_schema_order(fields, message["document"]))
        Path(message["output"]).write_bytes(data)
        return {}

    return write


def _rewriting(change: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def write(self: Any, message: Any) -> Any:
        params = {**message["params"], "fields": change(message["params"]["fields"])}
        return self._write({**message, "params": params})

    return write


_harness.Client._write = _harness.Client.write
_WRITERS: dict[str, Callable[[Any, Any], Any]] = {
    "null for what cannot be computed": _computing(None),
    "zero for what cannot be computed": _computing(0.0),
    "minus one for what cannot be computed": _computing(-1),
    "a string for what cannot be computed": _computing("NaN"),
    "the last field not written": _rewriting(lambda fields: dict(list(fields.items())[:-1])),
    "the first field not written": _rewriting(lambda fields: dict(list(fields.items())[1:])),
    "a field too much": _rewriting(lambda fields: {**fields, "written_by": "client"}),
    "null left out": _rewriting(lambda fields: {k: v for k, v in fields.items() if v is not None}),
    "numbers rounded": _rewriting(
        lambda fields: {k: round(v, 3) if type(v) is float else v for k, v in fields.items()}
    ),
}
