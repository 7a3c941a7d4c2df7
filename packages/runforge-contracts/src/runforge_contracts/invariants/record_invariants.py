"""Checks that request.json, run.json and result.json are consistent.

Source: specification, sections 5.3, 6.2, 7.2 to 7.6 and 8.2 to 8.6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.diagnostics import DiagnosticCode
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding, disagreement, show_value, unequal
from runforge_contracts.invariants.timestamps import moment
from runforge_contracts.prepared_names import raw_name
from runforge_contracts.schemas import load_schema
from runforge_contracts.store import layout
from runforge_contracts.validation import validate

#: Part of the rows that every client holds back.
_FRACTION = 0.2
#: How far times to the second may be from a duration, in seconds.
_CLOCK = 2.0
_SOURCES = ("cli", "request", "profile", "preset", "model_default")
_OF_THE_REQUEST = ("cli", "request")
#: Model families, and the diagnostic for what they do not support.
_UNSUPPORTED = (
    (("logistic_regression", "linear_svc"), DiagnosticCode.FEATURE_IMPORTANCE_UNSUPPORTED_MODEL),
    (("random_forest",), DiagnosticCode.LINEAR_COEFFICIENTS_UNSUPPORTED_MODEL),
)


def record_findings(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the contradictions between the documents of a run."""
    yield from _identity(folder)
    yield from _status(folder)
    yield from _configuration(folder)
    yield from _device(folder)
    yield from _rows(folder)
    yield from _classes(folder)
    yield from _diagnostics(folder)
    yield from _additive(folder)


def _identity(folder: CheckedRun) -> Iterator[Finding]:
    ids = {
        file: document.content["run_id"]
        for file, document in folder.documents.items()
        if "run_id" in document.content and file != layout.CANCELLED_MARKER  # not of the contract
    }
    if not ids:
        return
    # Outside a store the folder may have any name; the documents must still agree.
    expected = folder.expected_id
    for file, run_id in ids.items():
        message = "{file} has the run id {found}; expected {expected}."
        yield from unequal("run.id", message, file, "/run_id", expected, run_id, file=file)
    request = folder.request or {}
    if request.get("rerun_from") == expected:
        message = f"/rerun_from is the run's own id, {show_value(expected)}."
        yield Finding("run.id", message, layout.REQUEST, "/rerun_from", found=expected)


def _status(folder: CheckedRun) -> Iterator[Finding]:
    result, run, rule = folder.result, folder.record, "run.status"
    if result is None:
        return
    if run is not None and "status" in run:
        expected = result["status"]
        yield from disagreement(rule, layout.RUN, "/status", layout.RESULT, expected, run["status"])
    if result["status"] != "succeeded" and layout.RUN in folder.files and folder.is_current:
        message = f"{layout.RUN} is present although the run's status is {result['status']}."
        yield Finding(rule, message, layout.RUN, "/status", found=result["status"])
    times = [result[key] for key in ("started_at", "finished_at") if key in result]
    if len(times) == 2 and times[0][:19] > times[1][:19]:
        message = f"finished_at ({times[1]}) is before started_at ({times[0]})."
        yield Finding("result.times", message, layout.RESULT, "/finished_at", found=times[1])
    created = (run or {}).get("created_at", "") if folder.is_current else ""
    if created and len(times) == 2 and not times[0][:19] <= created[:19] <= times[1][:19]:
        message = f"created_at is {created}; the run took from {times[0]} to {times[1]}."
        yield Finding("result.times", message, layout.RUN, "/created_at", found=created)
    summary = result.get("summary") or {}
    chosen, metrics = summary.get("primary_metric"), summary.get("metrics") or {}
    if chosen and chosen["name"] in metrics:
        message = "The primary metric is {found} but the summary's metrics have {expected}."
        pointer, value = "/summary/primary_metric/value", metrics[chosen["name"]]
        yield from unequal(
            "result.primary-metric", message, layout.RESULT, pointer, value, chosen["value"]
        )
    yield from _sections(folder)


def _sections(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the missing sections of a result, and invalid times and durations."""
    result = folder.result or {}
    if folder.is_current and result.get("status") == "succeeded":
        sections = {
            "summary": (result.get("summary") or {}).get("metrics"),
            "effective_config": result.get("effective_config"),
            "artifacts": result.get("artifacts"),
        }
        for name, content in sections.items():
            if not content:
                message = f"The run succeeded but {layout.RESULT} lacks /{name}, or it is empty."
                yield Finding("result.sections", message, layout.RESULT, f"/{name}")
    named = ("started_at", "finished_at")
    times = {key: moment(result[key]) for key in named if key in result}
    for key, time in times.items():
        if time is None:
            message = f"{show_value(result[key])} is not a valid time."
            yield Finding("result.times", message, layout.RESULT, f"/{key}", found=result[key])
    began, ended = (times.get(key) for key in named)
    if began and ended:
        expected, found = round((ended - began).total_seconds() * 1000), result["duration_ms"]
        if abs(expected - found) > 1000 * _CLOCK:
            message = (
                f"duration_ms is {found}; finished_at ({result['finished_at']}) minus"
                f" started_at ({result['started_at']}) is {expected} ms."
            )
            yield Finding("result.times", message, layout.RESULT, "/duration_ms", expected, found)


def _configuration(folder: CheckedRun) -> Iterator[Finding]:
    request, run = folder.request or {}, folder.record or {}
    config = (folder.result or {}).get("effective_config") or {}
    if folder.form(layout.RESULT) == "field.editor_result.v1":
        # The editor has two presets, one of which stands for every other that a run can have.
        config = {name: value for name, value in config.items() if name != "preset"}
    wanted = {
        "/model/family": _at(request, "model", "family"),
        "/dataset/path": _at(request, "dataset", "path"),
        "/dataset/label_column": _at(request, "dataset", "label_column"),
        "/dataset/exclude_columns": _at(request, "dataset", "exclude_columns"),
        "/dataset/recipe": _at(request, "dataset", "recipe"),
        "/preset": request.get("preset"),
        "/profile": request.get("profile"),
        "/seed": request.get("seed"),
    }
    recorded = {
        "/model/family": run.get("model_family"),
        "/dataset/path": _at(run, "dataset", "path"),
        "/dataset/label_column": run.get("label_column"),
        "/dataset/fingerprint_sha256": _at(run, "dataset", "fingerprint_sha256"),
        "/dataset/recipe": _at(run, "dataset", "recipe"),
        "/dataset/recipe_sha256": _at(run, "dataset", "recipe_sha256"),
        "/preset": run.get("preset"),
        "/profile": run.get("profile_name"),
        "/seed": run.get("seed"),
        "/device/type": _at(run, "device", "type"),
    }
    for source, values in ((layout.REQUEST, wanted), (layout.RUN, recorded)):
        for pointer, value in values.items():
            used = _at(config, *pointer[1:].split("/"))
            # An editor may leave fields out of either document, but may not contradict itself.
            if value is not None and used is not None:
                message = "{result} and {source} disagree on {path}: {found} and {expected}."
                yield from unequal(
                    "run.configuration",
                    message,
                    layout.RESULT,
                    f"/effective_config{pointer}",
                    value,
                    used,
                    result=layout.RESULT,
                    source=source,
                    path=pointer,
                )
    given = _at(request, "model", "hyperparameters") or {}
    listed = {item["name"]: item for item in run.get("hyperparameters", ())}
    effective = _at(config, "model", "hyperparameters")
    for name, item in listed.items():
        pointer = "/hyperparameters"
        if name in given and item["source"] in _OF_THE_REQUEST:
            message = "The run used {name} = {found}, but the request has {expected}."
            yield from unequal(
                "run.hyperparameters",
                message,
                layout.RUN,
                pointer,
                given[name],
                item["value"],
                name=quote(name),
            )
        if effective is not None:
            message = "{result} and {run} disagree on {name}: {found} and {expected}."
            yield from unequal(
                "run.hyperparameters",
                message,
                layout.RESULT,
                "/effective_config/model/hyperparameters",
                item["value"],
                effective.get(name),
                result=layout.RESULT,
                run=layout.RUN,
                name=quote(name),
            )
    if folder.is_current and run:
        yield from _sources(run["hyperparameters"], given)
        for name in sorted((given.keys() | (effective or {}).keys()) - listed.keys()):
            message = f"The hyperparameter {quote(name)} is used but not listed in {layout.RUN}."
            yield Finding("run.hyperparameters", message, layout.RUN, "/hyperparameters")


def _sources(listed: list[dict[str, Any]], given: dict[str, Any]) -> Iterator[Finding]:
    """Yield hyperparameters that are repeated, or whose source is unknown or not the true one."""
    rule, seen = "run.hyperparameters", set[str]()
    for index, item in enumerate(listed):
        name, source, pointer = item["name"], item["source"], f"/hyperparameters/{index}"
        if name in seen:
            message = f"The hyperparameter {quote(name)} is listed twice."
            yield Finding(rule, message, layout.RUN, f"{pointer}/name", found=name)
        seen.add(name)
        message = ""
        if source not in _SOURCES:
            message = f"The source {show_value(source)} is not one of {', '.join(_SOURCES)}."
        elif (name in given) is not (source in _OF_THE_REQUEST):
            there = "has" if name in given else "lacks"
            message = f"{quote(name)} has the source {source}, but the request {there} it."
        if message:
            yield Finding(rule, message, layout.RUN, f"{pointer}/source", found=source)


def _device(folder: CheckedRun) -> Iterator[Finding]:
    """Yield a finding if a GPU was requested, not used, and no reason is recorded."""
    wanted = _at(folder.request, "device", "type")
    used = (folder.record or {}).get("device")
    if used and wanted == "gpu" and used["type"] != "gpu" and not used.get("gpu_reason"):
        message = (
            f"A GPU was requested, {used['type']} was used, and /device/gpu_reason is missing."
        )
        yield Finding("run.device", message, layout.RUN, "/device/gpu_reason", found=used)


def _at(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _rows(folder: CheckedRun) -> Iterator[Finding]:
    run, rule = folder.record or {}, "run.rows"
    if "split" in run:
        rows = run["split"]["train_rows"] + run["split"]["validation_rows"]
        message = "The parts of the split have {found} rows in total; {expected} were used."
        yield from unequal(rule, message, layout.RUN, "/split", run["num_samples"], rows)
        fraction = run["split"]["validation_fraction"]
        message = "The validation fraction is {found} instead of {expected}."
        yield from unequal(
            "run.split", message, layout.RUN, "/split/validation_fraction", _FRACTION, fraction
        )
        expected = math.ceil(run["num_samples"] * fraction)
        found = run["split"]["validation_rows"]
        message = "{found} rows are for validation; {expected} of {rows} are expected."
        yield from unequal(
            "run.split",
            message,
            layout.RUN,
            "/split/validation_rows",
            expected,
            found,
            rows=str(run["num_samples"]),
        )
    if "feature_names" in run:
        message = "feature_names has {found} names for {expected} features."
        found = len(run["feature_names"])
        yield from unequal(rule, message, layout.RUN, "/feature_names", run["num_features"], found)
        yield from _features(run, _at(folder.request, "dataset", "exclude_columns") or ())


def _features(run: dict[str, Any], excluded: Sequence[str]) -> Iterator[Finding]:
    """Yield features that are repeated, excluded or the label."""
    without, seen = {*excluded}, set[str]()
    prepared = "recipe" in run["dataset"]
    for index, name in enumerate(run["feature_names"]):
        reason = ""
        raw = raw_name(name) if prepared else name
        if raw == run["label_column"]:
            reason = "the label column"
        elif raw in without:
            reason = "a column that the request excludes"
        elif name in seen:
            reason = "listed twice"
        seen.add(name)
        if reason:
            message = f"The feature {quote(name)} is {reason}."
            pointer = f"/feature_names/{index}"
            yield Finding("run.rows", message, layout.RUN, pointer, found=name)


def _classes(folder: CheckedRun) -> Iterator[Finding]:
    """Yield classes out of order, and documents that list other classes than the record."""
    classes, rule = (folder.record or {}).get("classes"), "run.classes"
    if classes is None:
        return
    if len({isinstance(label, str) for label in classes}) > 1:
        message = f"/classes has integers and strings: {show_value(classes)}."
        yield Finding(rule, message, layout.RUN, "/classes", found=classes)
    else:
        # Strings are compared by their code points, in Python as in the contract.
        message = "/classes has {found} where the sorted labels have {expected}."
        yield from unequal(rule, message, layout.RUN, "/classes", sorted({*classes}), classes)
    for file, member in (
        (layout.METRICS_V1, "class_labels"),
        (layout.LINEAR_COEFFICIENTS, "classes"),
    ):
        document = folder.content(file) or {}
        if member in document:
            found = document[member]
            yield from disagreement(rule, file, f"/{member}", layout.RUN, classes, found)
        if "num_classes" in document:
            found = document["num_classes"]
            message = "{file} has {found} classes; {run} has {expected}."
            yield from unequal(
                rule,
                message,
                file,
                "/num_classes",
                len(classes),
                found,
                file=file,
                run=layout.RUN,
            )


def _diagnostics(folder: CheckedRun) -> Iterator[Finding]:
    document = folder.content(layout.DIAGNOSTICS)
    if document is None:
        return
    by_code = {item["code"]: item for item in document["diagnostics"]}
    for index, item in enumerate(document["diagnostics"] if folder.is_current else ()):
        if item["code"] in DiagnosticCode.__members__:
            expected = DiagnosticCode(item["code"]).severity
            message = "{code} has the severity {found}; expected {expected}."
            pointer = f"/diagnostics/{index}/severity"
            yield from unequal(
                "diagnostics.severity",
                message,
                layout.DIAGNOSTICS,
                pointer,
                expected,
                item["severity"],
                code=item["code"],
            )
    run, result = folder.record or {}, folder.result or {}
    code = DiagnosticCode.MISSING_VALUES_DROPPED
    dropped, reported = run.get("dropped_rows_missing_values"), by_code.get(code)
    if dropped is not None and bool(dropped) is not bool(reported):
        message = (
            f"{code} is missing although {dropped} rows were dropped."
            if dropped
            else f"{code} is present although no rows were dropped."
        )
        yield Finding("diagnostics.dropped-rows", message, layout.DIAGNOSTICS, "", dropped)
    if reported and dropped:
        message = "The diagnostic counts {found} dropped rows; the run dropped {expected}."
        yield from unequal(
            "diagnostics.dropped-rows",
            message,
            layout.DIAGNOSTICS,
            "",
            dropped,
            reported["details"].get("rows_dropped", dropped),
        )
    family = run.get("model_family") if folder.is_current else None
    for families, unsupported in _UNSUPPORTED:
        if family in families and unsupported not in by_code:
            message = f"{unsupported} is missing although the model is a {family}."
            yield Finding(
                "diagnostics.unsupported", message, layout.DIAGNOSTICS, "", str(unsupported)
            )
    wanted = (result.get("error") or {}).get("code")
    if result.get("status") == "failed" and wanted:
        errors = {item["code"] for item in document["diagnostics"] if item["severity"] == "error"}
        if wanted not in errors:
            message = f"The run failed with {wanted}, which is not among the errors reported."
            yield Finding(
                "diagnostics.failure", message, layout.DIAGNOSTICS, "", wanted, sorted(errors)
            )


def _additive(folder: CheckedRun) -> Iterator[Finding]:
    """Yield why a client that reads older versions of run.json could not read this one."""
    run = folder.record
    if run is None or folder.record_version != "run.v0.4.0":
        return
    known = load_schema("run.v0.3.6")["properties"]
    older = {key: value for key, value in run.items() if key in known}
    try:
        validate({**older, "schema_version": "run.v0.3.6"}, "run.v0.3.6")
    except RunForgeError as error:
        yield Finding("run.additive", error.message, layout.RUN, error.location.pointer)
