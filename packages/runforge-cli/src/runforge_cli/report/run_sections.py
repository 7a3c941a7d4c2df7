"""The sections of a report on one run: what a colleague would ask of it, in that order."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts import layout
from runforge_contracts.rules import primary_metric
from runforge_contracts.text import format_duration, printable, shorten

from runforge_cli.columns import number, plural
from runforge_cli.differences import signed, source_text, value_text
from runforge_cli.report.blocks import (
    Bars,
    Block,
    Commands,
    Facts,
    Matrix,
    Name,
    Paragraph,
    Section,
    Table,
    Text,
    prose,
)
from runforge_cli.report.curve_blocks import curve_blocks
from runforge_cli.report.material import Material

#: Features shown of each class, and where several runs share a page.
TOP, TOP_OF_SEVERAL = 20, 10
#: Classes whose coefficients are drawn, and of which a matrix is drawn.
MAX_CLASSES, MAX_MATRIX = 12, 30
#: Characters of a free text, and lines of the notes.
_LONG, _NOTES = 2_000, 40
_METRICS = {
    "accuracy": "Share of rows predicted right.",
    "precision_macro": "Of the rows predicted as a class, the share that are; mean of classes.",
    "recall_macro": "Of the rows of a class, the share predicted as it; mean of classes.",
    "f1_macro": "Harmonic mean of precision and recall; mean of classes.",
    "roc_auc": "Chance that of two rows the one of the second class is ranked above the other.",
    "log_loss": "Cross-entropy of the probabilities; lower is better.",
}
_GUIDE = (
    "Features were standardized before the fit, so a coefficient is the change of the class's"
    " score when the feature grows by one standard deviation. Compare coefficients with each"
    " other, not with raw values."
)
_SCORES = {
    "logistic_regression": " The score is the log-odds of the class.",
    "linear_svc": " The score is the value of the decision function, not a probability.",
}


def run_sections(material: Material) -> list[Section]:
    """Return the sections of a run; what the run does not have is left out or explained."""
    sections = [
        Section("Outcome", list(_outcome(material))),
        Section("Data", list(_data(material))),
        Section("Configuration", list(_configuration(material))),
        Section("Metrics", list(_metrics(material))),
        Section("Curves", curve_blocks(material)),
        Section("What the model goes by", list(_weights(material))),
        Section("Diagnostics", list(_diagnostics(material))),
        Section("Provenance", list(_provenance(material))),
        Section("How to reproduce", list(_reproduce(material))),
    ]
    return [section for section in sections if section.blocks]


def lead(material: Material) -> Text:
    """Return what there is to say of a run in one line."""
    folder = material.folder
    run, result = folder.run or {}, folder.result or {}
    family = _family(material)
    told: list[str] = [*([Name(family), " "] if family else []), _STATUS[folder.status]]
    chosen = primary_metric(result.get("summary") or ({"metrics": _ratios(run)} if run else None))
    if chosen:
        told += [", with ", Name(chosen[0]), f" {number(chosen[1])}"]
        rows = run.get("split", {}).get("validation_rows")
        told.append(f" on {plural(rows, 'validation row')}." if rows else ".")
    else:
        told.append(".")
    return told


_STATUS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "was cancelled",
    "incomplete": "is still training, or was interrupted",
}


def _ratios(run: dict[str, Any]) -> dict[str, float]:
    return {k: v for k, v in run.get("metrics", {}).items() if not k.startswith("num_")}


def _family(material: Material) -> str:
    run, request = material.folder.run or {}, material.folder.request or {}
    return str(run.get("model_family") or request.get("model", {}).get("family") or "")


def _outcome(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, result, request = folder.run or {}, folder.result or {}, folder.request or {}
    facts: list[tuple[str, Text]] = [("Run", [Name(folder.run_id)]), ("Status", folder.status)]
    if request.get("name"):
        facts.append(("Name", shorten(request["name"], _LONG)))
    when = run.get("created_at") or result.get("finished_at")
    if when:
        facts.append(("Finished", time_text(when)))
    if "duration_ms" in result:
        facts.append(("Duration", format_duration(result["duration_ms"])))
    if request.get("tags"):
        facts.append(("Tags", names(request["tags"])))
    if request.get("rerun_from"):
        facts.append(("Repeats", [Name(request["rerun_from"])]))
    facts.append(("Folder", [Name(material.run_dir)]))
    yield Facts(facts)
    # The one text of several lines; each stays a line, and nothing more than text.
    lines = shorten(request.get("notes") or "", _LONG).splitlines()
    for line in [line for line in lines if line.strip()][:_NOTES]:
        yield Paragraph(line, "note")
    error = result.get("error")
    if error:
        code = [" ", Name(error["code"])] if "code" in error else []
        yield Paragraph([*prose(shorten(error["message"], _LONG)), *code], "warning")
        if error.get("hint"):
            yield Paragraph(prose(shorten(error["hint"], _LONG)), "guide")


def _data(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, request = folder.run or {}, folder.request or {}
    config = (folder.result or {}).get("effective_config") or {}
    dataset = {**request.get("dataset", {}), **config.get("dataset", {}), **run.get("dataset", {})}
    facts: list[tuple[str, Text]] = []
    if "path" in dataset:
        facts.append(("Dataset", [Name(dataset["path"])]))
    if "fingerprint_sha256" in dataset:
        facts.append(("SHA-256", [Name(dataset["fingerprint_sha256"])]))
    used = run.get("num_samples", run.get("metrics", {}).get("num_samples"))
    if used is not None:
        dropped = run.get("dropped_rows_missing_values", 0)
        facts.append(("Rows", f"{used:,} used; {dropped:,} dropped because a value was missing"))
    split = run.get("split")
    if split:
        counted = f"{split['train_rows']:,} to train, {split['validation_rows']:,} to validate"
        facts.append(("Split", f"{counted}; {split['method']}, seed {run['seed']}"))
    label = run.get("label_column") or dataset.get("label_column")
    if label:
        facts.append(("Label", [Name(label)]))
    if run.get("classes"):
        facts.append(("Classes", names(run["classes"])))
    if run.get("feature_names"):
        count = len(run["feature_names"])
        facts.append(("Features", [f"{count:,}: ", *names(run["feature_names"])]))
    elif "num_features" in run:
        facts.append(("Features", f"{run['num_features']:,}"))
    if dataset.get("exclude_columns"):
        facts.append(("Left out", names(dataset["exclude_columns"])))
    if facts:
        yield Facts(facts)


def _configuration(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, request = folder.run or {}, folder.request or {}
    config = (folder.result or {}).get("effective_config") or {}
    facts: list[tuple[str, Text]] = []
    if _family(material):
        facts.append(("Model family", [Name(_family(material))]))
    preset = run.get("preset") or config.get("preset") or request.get("preset")
    if preset:
        facts.append(("Preset", [Name(preset)]))
    if "profile_name" in run:
        facts.append(("Profile", [Name(run["profile_name"]), f" {run['profile_version']}"]))
    seed = run.get("seed", config.get("seed"))
    if seed is not None:
        facts.append(("Seed", str(seed)))
    device = run.get("device")
    if device:
        reason = device.get("gpu_reason")
        facts.append(("Device", device["type"] + (f": {reason}" if reason else "")))
    if facts:
        yield Facts(facts)
    if run.get("hyperparameters"):
        yield Table(
            "Hyperparameters and where each value came from",
            ("Hyperparameter", "Value", "Source"),
            [
                [
                    [Name(item["name"])],
                    [Name(value_text(item["value"]))],
                    source_text(item["source"]),
                ]
                for item in run["hyperparameters"]
            ],
        )
    else:
        used = config.get("model", {}).get("hyperparameters") or {}
        if used:
            yield Table(
                "Hyperparameters",
                ("Hyperparameter", "Value"),
                [[[Name(name)], [Name(value_text(value))]] for name, value in used.items()],
            )


def _metrics(material: Material) -> Iterator[Block]:
    folder = material.folder
    metrics = folder.raw(layout.METRICS_V1)
    if metrics is None:
        ratios = _ratios(folder.run or {})
        if ratios:
            yield Table(
                "Metrics on the validation rows",
                ("Metric", "Value"),
                [[[Name(name)], number(value)] for name, value in ratios.items()],
                frozenset({1}),
            )
        return
    yield Table(
        "Metrics on the validation rows",
        ("Metric", "Value", "Meaning"),
        [
            [[Name(name)], number(metrics[name]), meaning]
            for name, meaning in _METRICS.items()
            if name in metrics
        ],
        frozenset({1}),
    )
    by_class = metrics.get("metrics_by_class")
    if by_class:
        yield Table(
            "Metrics by class",
            ("Class", "Precision", "Recall", "F1", "Rows"),
            [
                [
                    [Name(str(item["class"]))],
                    *(number(item[key]) for key in ("precision", "recall", "f1", "support")),
                ]
                for item in by_class
            ],
            frozenset({1, 2, 3, 4}),
        )
    yield from _matrix(metrics, (folder.run or {}).get("classes"))


def _matrix(metrics: dict[str, Any], classes: Sequence[Any] | None) -> Iterator[Block]:
    matrix = metrics["confusion_matrix"]
    labels = metrics.get("class_labels") or classes or []
    if len(labels) != len(matrix):
        labels = range(len(matrix))
    texts = [str(label) for label in labels]
    if len(matrix) <= MAX_MATRIX:
        yield Matrix(texts, matrix)
        return
    confused = sorted(
        (
            (-count, texts[true], texts[predicted])
            for true, counts in enumerate(matrix)
            for predicted, count in enumerate(counts)
            if count and true != predicted
        ),
        key=lambda item: item[0],
    )
    if confused:
        yield Table(
            f"Most confused of {len(matrix)} classes",
            ("True class", "Predicted as", "Rows"),
            [[[Name(a)], [Name(b)], f"{-count:,}"] for count, a, b in confused[:TOP]],
            frozenset({2}),
        )


def _weights(material: Material) -> Iterator[Block]:
    folder, top = material.folder, TOP_OF_SEVERAL if material.letter else TOP
    importance = folder.raw(layout.FEATURE_IMPORTANCE)
    if importance is not None:
        yield Paragraph(
            "Gini importance: how much the splits on a feature lower the impurity, over all trees;"
            " all together are one. Features that take many values, and one of several that say"
            " the same, may look more or less important than they are.",
            "guide",
        )
        features = importance["features_by_importance"]
        yield Bars(
            _caption("Feature importances", len(features), top),
            ("Feature", "Importance"),
            [(item["name"], item["importance"]) for item in features[:top]],
        )
    coefficients = folder.raw(layout.LINEAR_COEFFICIENTS)
    if coefficients is None:
        return
    guide: list[str] = [_GUIDE + _SCORES[coefficients["model_family"]]]
    if coefficients["num_classes"] == 2:
        lesser, greater = (Name(str(label)) for label in coefficients["classes"])
        guide += [" A positive coefficient speaks for ", greater, ", a negative one for ", lesser]
        guide.append(".")
    yield Paragraph(guide, "guide")
    groups = coefficients["coefficients_by_class"]
    for group in groups[:MAX_CLASSES]:
        of = f" of the class {group['class']}" if len(groups) > 1 else ""
        yield Bars(
            _caption(f"Coefficients{of}, strongest first", len(group["features"]), top),
            ("Feature", "Coefficient"),
            [(item["name"], item["coefficient"]) for item in group["features"][:top]],
        )
    if len(groups) > MAX_CLASSES:
        yield Paragraph(f"There are {len(groups) - MAX_CLASSES} more classes.")
    yield Table(
        "Intercepts",
        ("Class", "Intercept"),
        [
            [[Name(str(item["class"]))], signed(item["intercept"])]
            for item in coefficients["intercepts"][:MAX_CLASSES]
        ],
        frozenset({1}),
    )


def _caption(text: str, count: int, top: int) -> str:
    return text + (f" (first {top} of {count:,})" if count > top else "")


def _diagnostics(material: Material) -> Iterator[Block]:
    order = ("error", "warning", "info")
    found = sorted(material.folder.diagnostics, key=lambda item: order.index(item["severity"]))
    if not found:
        yield Paragraph("There is nothing to say about this run beyond its numbers.")
    else:
        yield Table(
            "What to know about this run",
            ("Severity", "What", "Code"),
            [[item["severity"], _told(item), [Name(item["code"])]] for item in found[: 5 * TOP]],
        )


def _told(item: dict[str, Any]) -> Text:
    hint = item.get("details", {}).get("hint")
    told = prose(shorten(item["message"], _LONG))
    return [*told, " ", *prose(shorten(str(hint), _LONG))] if hint else told


def _provenance(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, request = folder.run or {}, folder.request or {}
    provenance = run.get("provenance") or (folder.result or {}).get("provenance") or {}
    facts: list[tuple[str, Text]] = []
    client = provenance.get("client") or request.get("created_by")
    if client:
        facts.append(("Client", [Name(client)]))
    if "runforge_version" in run:
        facts.append(("RunForge", run["runforge_version"]))
    git = provenance.get("git")
    if git:
        changes = ", with uncommitted changes" if git["dirty"] else ", nothing changed since"
        facts.append(("Commit", [Name(git["commit"]), changes]))
    python = provenance.get("python")
    if python:
        facts.append(("Python", f"{python['implementation']} {python['version']}"))
        machine = provenance["platform"]
        parts = [machine[key] for key in ("cpu", "machine", "os", "libc") if key in machine]
        facts.append(("Machine", ", ".join(parts)))
        numerics = provenance["numerics"]
        facts.append(
            (
                "Numerics",
                "pinned: threads and kernels were fixed before the libraries were loaded"
                if numerics["pinned"]
                else "not pinned: another machine may differ in the last bits",
            )
        )
    if facts:
        yield Facts(facts)
    if provenance.get("packages"):
        yield Table(
            "Packages that can change a bit of the model",
            ("Package", "Version"),
            [[[Name(name)], version] for name, version in provenance["packages"].items()],
        )
    digests = run.get("artifact_digests")
    if digests:
        yield Table(
            "Artifacts",
            ("File", "Bytes", "SHA-256"),
            [
                [[Name(path)], f"{item['bytes']:,}", [Name(item["sha256"])]]
                for path, item in digests.items()
            ],
            frozenset({1}),
        )
    if run.get("model_content_sha256"):
        yield Facts([("Model content", [Name(run["model_content_sha256"])])])


def _reproduce(material: Material) -> Iterator[Block]:
    folder, run = material.folder, material.folder.run or {}
    if folder.request is None:
        yield Paragraph(
            "The run has no request, because an older client wrote it. Train with the same data and"
            " options to repeat it."
        )
        return
    packages = (run.get("provenance") or {}).get("packages") or {}
    git = (run.get("provenance") or {}).get("git")
    yield Paragraph(
        "Type this in the workspace, with the packages listed above. The first command tells"
        " whether anything of the run was changed, the second trains again and holds the result"
        " against the record."
        if folder.status == "succeeded"
        else "Type this in the workspace to try again with the same request."
    )
    lines = []
    if git:
        lines.append(f"git checkout {_typed(git['commit'])}")
    if packages.get("runforge-engine"):
        version = _typed(f"=={packages['runforge-engine']}")
        lines.append(f"python -m pip install runforge-cli{version}")
    run_id = _typed(folder.run_id)
    if folder.status == "succeeded":
        lines += [f"runforge verify {run_id}", f"runforge reproduce {run_id}"]
    else:
        lines.append(f"runforge rerun {run_id}")
    yield Commands(lines)


def _typed(text: str) -> str:
    """Return a text of a document as a word that is safe to paste into a shell."""
    return shlex.quote(printable(text))


def names(values: Sequence[Any], most: int = 60) -> list[str]:
    """Return names with commas between them, the first ones where there are many."""
    parts: list[str] = []
    for value in values[:most]:
        parts += [", ", Name(shorten(str(value), 200))]
    if len(values) > most:
        parts.append(f" and {len(values) - most:,} more")
    return parts[1:]


def time_text(text: str) -> str:
    """Return an instant as people write it."""
    return text.replace("T", " ").removesuffix("Z").removesuffix("+00:00") + " UTC"
