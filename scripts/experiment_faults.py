"""Faults of an experiment's run, one at a time, each with the requirement that it breaks.

As with those of trained runs, the digests are put right after every fault that is not about them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.codec.strict_yaml import encode_yaml, load_yaml
from vector_faults import Fault, digests, editing

SUCCEEDED = "run-2026-02-01-001"
FAILED = "run-2026-02-01-002"
KILLED = "run-2026-02-01-003"
TIME = b"2026-02-01T12:05:00Z"
REMOVE = object()

Make = Callable[[Path], None]


def seal(run: Path) -> None:
    """Put the digests of the manifest right."""
    with editing(run, "manifest.json") as manifest:
        manifest["files"] = digests(run, manifest["files"])


def configure(**changes: Any) -> Make:
    """Return what changes or removes members of the configuration."""

    def make(run: Path) -> None:
        config = {**load_yaml(run / "config.yaml"), **changes}
        kept = {key: value for key, value in config.items() if value is not REMOVE}
        (run / "config.yaml").write_bytes(encode_yaml(kept))
        seal(run)

    return make


def rewrite(file: str, change: Callable[[bytes], bytes]) -> Make:
    """Return what changes the text of a file."""

    def make(run: Path) -> None:
        (run / file).write_bytes(change((run / file).read_bytes()))
        seal(run)

    return make


def put(file: str, member: str, value: Any) -> Make:
    """Return what sets one member of a JSON document."""
    return rewrite(file, lambda text: encode_json({**json.loads(text), member: value}))


def append(file: str, text: bytes) -> Make:
    """Return what adds to a file."""
    return rewrite(file, lambda before: before + text)


def rename(name: str) -> Make:
    """Return what calls the run something else, in its documents, too."""

    def make(run: Path) -> None:
        configure(run_id=name)(run)
        with editing(run, "manifest.json") as manifest:
            manifest["run_id"] = name
        run.rename(run.with_name(name))

    return make


def fault(name: str, requirement: str, description: str, make: Make, run: str = FAILED) -> Fault:
    """Return a fault of one of the runs of experiments."""
    return Fault(name, requirement, description, make, run)


EXPERIMENT_FAULTS = (
    fault(
        "config-missing",
        "experiment.files",
        "There is no configuration.",
        lambda run: (run / "config.yaml").unlink(),
    ),
    fault(
        "config-lacks-model",
        "tfc-config.schema",
        "The configuration names no model.",
        configure(model=REMOVE),
    ),
    fault(
        "config-builds-an-object",
        "yaml.tag-refused",
        "The configuration has a tag.",
        append("config.yaml", b"hook: !!python/object/apply:os.system ['true']\n"),
    ),
    fault(
        "config-says-it-twice",
        "yaml.duplicate-key",
        "The configuration has two seeds.",
        append("config.yaml", b"seed: 7\n"),
    ),
    fault(
        "config-cut-off",
        "yaml.invalid",
        "The configuration ends inside a string.",
        append("config.yaml", b'notes: "cut o'),
    ),
    fault(
        "time-without-quotes",
        "yaml.portable",
        "Some readers read the time as a string and others as a date.",
        rewrite("config.yaml", lambda text: text.replace(b'"2026-02-01T12:05:00Z"', TIME)),
    ),
    fault(
        "id-not-the-folders",
        "experiment.id",
        "The configuration is that of another run.",
        configure(run_id=SUCCEEDED),
    ),
    fault(
        "id-of-the-manifest",
        "experiment.id",
        "The manifest is that of another run.",
        put("manifest.json", "run_id", SUCCEEDED),
    ),
    fault(
        "id-invalid",
        "experiment.id",
        "The run has a name of its own.",
        lambda run: run.rename(run.with_name("my-run")),
    ),
    fault("no-such-day", "experiment.id", "February has 30 days.", rename("run-2026-02-30-001")),
    fault(
        "final-and-running",
        "experiment.status",
        "The files are final, and the status is still `running`.",
        configure(status="running"),
    ),
    fault(
        "succeeded-with-1",
        "experiment.status",
        "User code ended with 1, and the run succeeded.",
        configure(status="succeeded"),
    ),
    fault(
        "failure-not-told",
        "experiment.failure",
        "The run failed and does not say why.",
        configure(failure=REMOVE),
    ),
    fault(
        "summary-incomplete",
        "experiment.summary",
        "A metric has a history and no final value.",
        put("metrics.json", "summary", {"accuracy": 0.923}),
        SUCCEEDED,
    ),
    fault(
        "manifest-missing",
        "experiment.manifest",
        "There are no digests.",
        lambda run: (run / "manifest.json").unlink(),
    ),
    fault(
        "manifest-climbs-out",
        "tfc-manifest.schema",
        "The manifest lists a file outside the run.",
        put("manifest.json", "files", {"../run.py": {"sha256": "0" * 64, "bytes": 0}}),
    ),
    fault(
        "artifact-changed",
        "manifest.digests",
        "An artifact was written again.",
        lambda run: (run / "artifacts/model.json").write_text("{}\n") and None,
        SUCCEEDED,
    ),
    fault(
        "artifact-gone",
        "manifest.digests",
        "An artifact was removed.",
        lambda run: (run / "artifacts/plots/loss.bin").unlink(),
        SUCCEEDED,
    ),
    fault(
        "artifact-added",
        "manifest.complete",
        "An artifact was written after the end.",
        lambda run: (run / "artifacts/late.txt").write_text("late\n") and None,
        SUCCEEDED,
    ),
    fault(
        "copied-from-nothing",
        "experiment.copied-models",
        "The model that was copied is no artifact of the run.",
        configure(copied_models=[{"from": "artifacts/other.json", "to": "models/penguins.json"}]),
    ),
    fault(
        "ended-before-it-began",
        "experiment.times",
        "The run ended a day before it began.",
        configure(finished_at="2026-01-31T12:05:01Z"),
    ),
    fault(
        "time-that-is-none",
        "experiment.times",
        "The run ended on the 30th of February.",
        configure(finished_at="2026-02-30T12:05:01Z"),
    ),
    fault(
        "time-of-a-place",
        "experiment.utc",
        "A time is in the time of a place.",
        configure(finished_at="2026-02-01T13:05:01+01:00"),
    ),
    fault(
        "metrics-of-text",
        "tfc-metrics.schema",
        "User code wrote a metric as a string.",
        put("metrics.json", "summary", {"loss": "1.2"}),
        KILLED,
    ),
    fault(
        "metrics-cut-off",
        "json.invalid",
        "User code was ended while it wrote the metrics.",
        rewrite("metrics.json", lambda text: text[:40]),
        KILLED,
    ),
    fault(
        "metrics-not-a-number",
        "json.number-invalid",
        "User code wrote NaN.",
        rewrite("metrics.json", lambda text: text.replace(b"1.2", b"NaN")),
        KILLED,
    ),
    fault(
        "system-of-numbers",
        "tfc-system.schema",
        "The version of Python is a number.",
        put("system.json", "python", 3.11),
    ),
    fault(
        "journal-wrong",
        "tfc-metrics-entry.schema",
        "A line of the journal names nothing.",
        rewrite("metrics.jsonl", lambda text: b'{"value": 1}\n' + text),
        KILLED,
    ),
    fault(
        "journal-of-text",
        "json.invalid",
        "A line of the journal is no JSON.",
        rewrite("metrics.jsonl", lambda text: b"loss=1.2\n" + text),
        KILLED,
    ),
)
