"""Two runs at different times are compared without their times, and with all the rest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from runforge_conformance.answer_comparison import snapshot
from runforge_conformance.run_comparison import without_times
from runforge_conformance.vectors import vectors_folder

RUN = "20260223-100000-e6dca325"
FOLDER = vectors_folder() / "runs/v0.4.0/.runforge/runs" / RUN
LATER = {
    RUN.encode(): b"20260224-113059-0123abcd",
    b"2026-02-23T10:00:00Z": b"2026-02-24T11:30:59.25Z",
    b'"duration_ms": 0': b'"duration_ms": 1734',
}


def sealed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return files of a run with digests and sizes that fit, in its record and its manifest."""
    made = dict(files)
    for name, member in (("run.json", "artifact_digests"), ("manifest.json", "files")):
        document = json.loads(made[name])
        for file, entry in document[member].items():
            if file in made:
                data = made[file]
                entry |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        made[name] = json.dumps(document, indent=2).encode()
    return made


def later(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the same run as if it had been made a day later, by a slower machine."""
    made = dict(files)
    for file, data in files.items():
        for old, new in LATER.items():
            data = data.replace(old, new)
        made[file] = data
    return sealed(made)


def test_a_later_run_is_the_same() -> None:
    first = sealed(snapshot(FOLDER))
    again = later(first)
    assert first != again
    assert without_times(first) == without_times(again)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("metrics.json", b"0.", b"1."),
        ("result.json", b'"succeeded"', b'"failed"'),
        ("artifacts/model.pkl", None, b"another model"),
        ("run.json", b'"label"', b'"other"'),
    ],
)
def test_what_is_no_time_differs(file: str, old: bytes | None, new: bytes) -> None:
    first = {"artifacts/model.pkl": b"a model", **snapshot(FOLDER)}
    again = later(first)
    changed = new if old is None else again[file].replace(old, new)
    assert changed != again[file]
    masked = without_times(sealed({**again, file: changed}))
    assert masked[file] != without_times(sealed(first))[file]


def test_a_file_that_is_missing_or_new_differs(tmp_path: Path) -> None:
    first = snapshot(FOLDER)
    assert without_times(first).keys() == first.keys()
    assert without_times({**first, "more.txt": b""}) != without_times(first)
