"""Documents of other clients are told, validated, and read in the contract's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.documents import Document, identify, struct_of
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.run_invariants import client_of
from runforge_contracts.schemas import CATALOG, FIELD
from runforge_contracts.store.field_documents import CLIENTS, unix_time, utc_time
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of
from runforge_contracts.validation import validate

FIELD_VECTORS = Path(__file__).parents[3] / "docs/test-vectors/field"
DOCUMENTS = FIELD_VECTORS / "documents"
EXPECTED: list[dict[str, str]] = json.loads((DOCUMENTS / "expected.json").read_bytes())
FAULTS: list[dict[str, str]] = json.loads((FIELD_VECTORS / "broken/faults.json").read_bytes())
EDITOR = FIELD_VECTORS / "editor-extension-1.2.1/.ml/runs"
OLD_EDITOR = FIELD_VECTORS / "editor-extension-0.4.3"
DESKTOP = FIELD_VECTORS / "desktop-1.0/.ml/runs"
COMMANDS = FIELD_VECTORS / "desktop-command-line-0.3.0/.ml/runs"
#: The client of a broken run; none says it in the last, whose request is refused.
CLIENT_OF = {
    fault["folder"]: next(
        name
        for start, name in (
            ("editor", "the editor extension"),
            ("desktop-run", "Desktop"),
            ("desktop-command-line-result", "the command line of Desktop"),
            ("desktop-command-line-request", None),
        )
        if fault["folder"].startswith(start)
    )
    for fault in FAULTS
}
RUNS = sorted(
    folder
    for store in ("editor-extension-1.2.1", "editor-extension-0.4.3", "desktop-1.0")
    for folder in FIELD_VECTORS.glob(f"{store}/.*/runs/*")
) + sorted(COMMANDS.iterdir())


def test_every_document_of_another_client_has_vectors() -> None:
    for name in (name for name in CATALOG if name.startswith(FIELD)):
        kinds = {entry["file"] for entry in EXPECTED if entry["document"] == name}
        assert {f"{name}.{kind}.json" for kind in ("min", "full", "unknown-fields")} <= kinds
        assert any(".broken-" in file for file in kinds), name


@pytest.mark.parametrize("entry", EXPECTED, ids=lambda entry: entry["file"])
def test_a_vector_is_accepted_or_refused_at_its_place(entry: dict[str, str]) -> None:
    raw = parse_json((DOCUMENTS / entry["file"]).read_bytes())
    if "code" not in entry:
        validate(raw, entry["document"])
        return
    with pytest.raises(RunForgeError) as caught:
        validate(raw, entry["document"])
    assert (caught.value.code, caught.value.location.pointer) == (entry["code"], entry["pointer"])


@pytest.mark.parametrize(
    "entry",
    [entry for entry in EXPECTED if "code" not in entry and entry["document"] in CATALOG],
    ids=lambda entry: entry["file"],
)
def test_a_document_is_told_without_its_name_and_an_unedited_save_changes_no_byte(
    entry: dict[str, str], tmp_path: Path
) -> None:
    name, text = entry["document"], (DOCUMENTS / entry["file"]).read_bytes()
    file = CATALOG[name].file
    told = name if file is None else Path(file).name
    path = tmp_path / told
    path.write_bytes(text)
    document: Document[Any] = Document.load(path, *([] if file else [struct_of(name)]))
    assert document.name == name
    assert document.view is not None
    document.save(tmp_path / "saved.json")
    assert (tmp_path / "saved.json").read_bytes() == text


@pytest.mark.parametrize("entry", FAULTS, ids=lambda entry: entry["folder"])
def test_a_broken_document_of_a_run_is_refused_at_its_place(entry: dict[str, str]) -> None:
    run = Run(FIELD_VECTORS / "broken" / entry["folder"] / entry["run"])
    with pytest.raises(RunForgeError) as caught:
        run.document(entry["file"])
    found = (caught.value.code, caught.value.location.pointer)
    assert found == (entry["code"], entry.get("pointer"))


def test_the_clients_are_those_of_documents_that_exist() -> None:
    assert CLIENTS.keys() <= CATALOG.keys()


def problems(raw: Any, schema: str) -> list[Any]:
    try:
        validate(raw, schema)
    except RunForgeError as error:
        return [*error.problems] or [error]
    return []


def test_what_is_read_has_the_contract_s_members_and_no_null() -> None:
    parts = {"request": "request.v1", "result": "result.v1"}
    for folder in RUNS:
        run = Run(folder)
        for part, schema in parts.items():
            found = getattr(run, part)
            if found is None:
                continue
            assert None not in found.values()
            # Whatever is there follows the contract. Only what is lacking may be refused, and a
            # preset, which has the name that the client gives it.
            for problem in problems(found, schema):
                preset = str(problem.location.pointer).endswith("/preset")
                assert preset or "lacks the required field" in problem.message, folder.name
        if run.record is not None:
            validate(run.record, run.record["schema_version"])


def test_a_run_of_the_editor_extension_is_read() -> None:
    run = Run(EDITOR / "20260120-100300-logistic-regression-on-two-0003")
    assert (run.id, run.status, run.name) == (
        "20260120-090300-8348a454",
        "succeeded",
        "logistic_regression on two",
    )
    assert run.client_form == "the editor extension"
    assert (run.form("request.json"), run.form("run.json"), run.form("result.json")) == (
        "field.editor_request.v1",
        "run.v0.3.6",
        "field.editor_result.v1",
    )
    assert run.request == {
        "preset": "std-train",
        "device": {"type": "cpu", "gpu_reason": "no_cuda"},
        "created_at": "2026-01-20T09:03:00Z",
        "name": "logistic_regression on two",
    }
    assert run.result == {
        "run_id": run.path.name,
        "status": "succeeded",
        "duration_ms": 3456,
        "effective_config": {
            "preset": "std-train",
            "device": {"type": "cpu", "gpu_reason": "no_cuda"},
        },
    }
    summary = summary_of(run)
    assert (summary.outcome.duration_ms, summary.model.device) == (3456, "cpu")


@pytest.mark.parametrize(
    ("folder", "status", "message"),
    [
        ("101000-failed", "failed", "Label column 'label' contains non-numeric values"),
        ("101100-cancelled", "cancelled", "Cancelled (graceful)"),
        ("101200-forced", "cancelled", "Cancelled (forced)"),
    ],
)
def test_a_run_of_the_editor_extension_that_did_not_succeed(
    folder: str, status: str, message: str
) -> None:
    run = Run(EDITOR / f"20260120-{folder}-00ff")
    assert run.status == status
    assert run.result is not None
    assert run.result["error"]["message"].startswith(message)
    assert run.id == run.path.name
    assert run.metrics == {}


def test_the_marker_alone_says_that_a_run_was_cancelled(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_bytes(
        (EDITOR / "20260120-101100-cancelled-00ff/request.json").read_bytes()
    )
    assert Run(tmp_path).status == "incomplete"
    (tmp_path / ".cancelled").write_bytes(
        (EDITOR / "20260120-101100-cancelled-00ff/.cancelled").read_bytes()
    )
    run = Run(tmp_path)
    assert run.status == "cancelled"
    assert run.result == {
        "status": "cancelled",
        "finished_at": "2026-01-20T09:00:01Z",
        "error": {"message": "user cancelled via SIGTERM"},
    }
    (tmp_path / ".cancelled").write_bytes(b"")  # cut off
    assert Run(tmp_path).result == {"status": "cancelled"}


def test_a_first_record_has_no_schema_version() -> None:
    run = Run(OLD_EDITOR / ".runforge/runs/20260120-090000-94bb4314")
    assert run.form("run.json") == "field.editor_run.v0.2.2.1"
    assert run.record is not None
    assert run.record["schema_version"] == "run.v0.2.2.1"
    assert run.status == "succeeded"
    assert run.metrics == {"accuracy": 0.9667}


@pytest.mark.parametrize(
    ("number", "status"),
    [(0, "succeeded"), (1, "failed"), (2, "cancelled"), (3, "incomplete"), (4, "incomplete")],
)
def test_a_run_of_desktop_is_read(number: int, status: str) -> None:
    run = Run(DESKTOP / f"20260120-10{number:02}00-My run {number}-{number:04x}")
    assert (run.client_form, run.status, run.name) == ("Desktop", status, f"My run {number}")
    assert run.record is None
    assert run.created_at is not None
    assert run.created_at.startswith(f"2026-01-20T09:0{number}:")
    assert run.dataset == "/home/user/project/data/three.csv"
    if status == "failed":
        assert run.result is not None
        assert run.result["error"] == {"message": "Process terminated unexpectedly"}
    if number < 3:
        assert summary_of(run).outcome.duration_ms == 30_000


def test_a_request_of_a_sweep_is_read() -> None:
    raw = json.loads((DOCUMENTS / "field.desktop_request.v1.full.json").read_bytes())
    assert identify(raw, ("request.v1", "field.desktop_request.v1"))[0] == (
        "field.desktop_request.v1"
    )


def test_the_contract_s_own_form_wins_where_a_document_has_its_version(tmp_path: Path) -> None:
    full = FIELD_VECTORS.parent / "request.v1.full.json"
    raw = {**json.loads(full.read_bytes()), "preset_id": "std-train"}
    (tmp_path / "request.json").write_bytes(encode_json(raw))
    assert Run(tmp_path).form("request.json") == "request.v1"


def test_only_a_run_accepts_the_forms_of_other_clients() -> None:
    from runforge_contracts.types import RequestV1

    path = EDITOR / "20260120-101000-failed-00ff/request.json"
    with pytest.raises(RunForgeError) as caught:
        Document.load(path, RequestV1)
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-16T12:15:00Z", "2026-01-16T12:15:00Z"),
        ("2026-01-16T12:15:00+00:00", "2026-01-16T12:15:00Z"),
        ("2026-01-16T12:15:00.417093+01:00", "2026-01-16T11:15:00.417093Z"),
        ("2026-01-16T12:15:00.417", "2026-01-16T12:15:00.417000Z"),
        ("2026-01-16 00:15-05:30", "2026-01-16T05:45:00Z"),
        ("0001-01-01T00:00:00+23:00", "0001-01-01T00:00:00+23:00"),
        ("2026-02-30T00:00:00Z", "2026-02-30T00:00:00Z"),
    ],
)
def test_times_are_utc(text: str, expected: str) -> None:
    assert utc_time(text) == expected


@given(st.integers(0, 253402300799))
def test_every_unix_time_is_a_valid_time(seconds: int) -> None:
    validate(
        {
            "version": 1,
            "status": "failed",
            "duration_ms": 0,
            "error": {"message": "", "type": "x"},
            "started_at": unix_time(seconds),
        },
        "result.v1",
    )


@pytest.mark.parametrize(
    ("folder", "client"),
    [
        (EDITOR / "20260120-101000-failed-00ff", "the editor extension"),
        (OLD_EDITOR / ".runforge/runs/20260120-090000-94bb4314", "the editor extension"),
        (DESKTOP / "20260120-100400-My run 4-0004", "Desktop"),
        (COMMANDS / "20260120-090300-flowers-00ff", "the command line of Desktop"),
        (FIELD_VECTORS.parent / "runs/v0.3.6/.runforge/runs", None),
        *(
            (FIELD_VECTORS / "broken" / fault["folder"] / fault["run"], CLIENT_OF[fault["folder"]])
            for fault in FAULTS
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_the_client_of_a_run_is_known_even_if_a_document_is_broken(
    folder: Path, client: str | None
) -> None:
    if folder.name == "runs":
        folder = min(folder.iterdir())
    assert client_of(folder) == client
