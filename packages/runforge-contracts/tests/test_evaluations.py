"""Evaluations of models: found, read, and checked against themselves and their runs."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.evaluations import (
    content_digest,
    evaluation_id_candidates,
    evaluations_of,
    find_evaluation,
    is_evaluation,
    list_evaluations,
)
from runforge_contracts.store.layout import StoreLayout

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"
RUN = "20260224-100000-3f2d1b26"
ID = "eval_20260301_080000_5f0e6a1c"
Change = Callable[[dict[str, Any]], object]


def example() -> dict[str, Any]:
    """Return a sound evaluation of the forest among the vectors."""
    folder = VECTORS / f"runs/v0.4.0/.runforge/runs/{RUN}"
    record = json.loads((folder / "run.json").read_bytes())
    document: dict[str, Any] = json.loads((VECTORS / "evaluation.v1.full.json").read_bytes())
    metrics = json.loads((folder / "metrics.v1.json").read_bytes())
    document["run_id"] = RUN
    document["model"]["sha256"] = record["artifact_digests"]["artifacts/model.pkl"]["sha256"]
    document["dataset"]["columns"] = record["feature_names"]
    document["metrics"] = metrics
    document["rows_evaluated"] = sum(map(sum, metrics["confusion_matrix"]))
    left_out = sum(item["rows"] for item in document["left_out"])
    document["dataset"]["rows"] = document["rows_evaluated"] + left_out
    return document


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    """Return a copy of the store of vectors."""
    shutil.copytree(VECTORS / "runs/v0.4.0/.runforge", tmp_path / ".runforge")
    return StoreLayout(tmp_path)


def write(store: StoreLayout, document: dict[str, Any], name: str = ID) -> Path:
    """Write an evaluation with the digest of its content."""
    document["content_sha256"] = content_digest(document)
    folder = store.evaluation_folder(name)
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_bytes(encode_json(document))
    return folder


def rules(store: StoreLayout) -> set[tuple[str, str | None]]:
    return {
        (finding.rule, finding.pointer)
        for finding in check_store(store)
        if "evaluations" in (finding.file or "")
    }


def test_a_sound_evaluation_has_no_findings(store: StoreLayout) -> None:
    write(store, example())
    assert rules(store) == set()
    [found] = evaluations_of(RUN, [store])
    assert found.run_id == RUN
    assert find_evaluation("eval_", [store]) == found


CHANGES: dict[str, tuple[Change, str, str]] = {
    "another id": (
        lambda d: d.update(evaluation_id="eval_20260301_080000_00000000"),
        "evaluation.id",
        "/evaluation_id",
    ),
    "rows": (lambda d: d["dataset"].update(rows=99), "evaluation.rows", "/dataset/rows"),
    "more rows evaluated": (
        lambda d: (
            d.update(rows_evaluated=d["rows_evaluated"] + 1),
            d["dataset"].update(rows=d["dataset"]["rows"] + 1),
        ),
        "evaluation.rows",
        "/metrics/confusion_matrix",
    ),
    "reason twice": (
        lambda d: d["left_out"][1].update(reason="missing_value"),
        "evaluation.rows",
        "/left_out/1/reason",
    ),
    "example beyond the end": (
        lambda d: d["left_out"][0]["examples"][0].update(row=1000),
        "evaluation.rows",
        "/left_out/0/examples/0/row",
    ),
    "more examples than rows": (
        lambda d: d["left_out"][1].update(examples=[{"row": n, "column": "a"} for n in (1, 2)]),
        "evaluation.rows",
        "/left_out/1/examples",
    ),
    "accuracy": (
        lambda d: d["metrics"].update(accuracy=0.99),
        "evaluation.metrics",
        "/metrics/accuracy",
    ),
    "f1 of a class": (
        lambda d: d["metrics"]["per_class_f1"].__setitem__(1, 0.123),
        "evaluation.metrics",
        "/metrics/per_class_f1/1",
    ),
    "model": (lambda d: d["model"].update(sha256="0" * 64), "evaluation.run", "/model/sha256"),
    "features": (
        lambda d: d["dataset"]["columns"].reverse(),
        "evaluation.run",
        "/dataset/columns",
    ),
    "classes": (
        lambda d: d["metrics"].update(class_labels=["x", "y", "z"]),
        "evaluation.run",
        "/metrics/class_labels",
    ),
    "schema": (lambda d: d.update(rows_evaluated=0), "evaluation.schema", "/rows_evaluated"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_fault_is_found(name: str, store: StoreLayout) -> None:
    change, rule, pointer = CHANGES[name]
    document = copy.deepcopy(example())
    change(document)
    write(store, document)
    assert (rule, pointer) in rules(store)


def test_another_profile_is_found(store: StoreLayout) -> None:
    document = example()
    document["metrics"] = json.loads((VECTORS / "metrics.v1.min.json").read_bytes())
    document["metrics"]["metrics_profile"] = "classification.base.v1"
    write(store, document)
    places = {pointer for rule, pointer in rules(store) if rule == "evaluation.run"}
    assert places == {"/metrics/num_classes", "/metrics/metrics_profile"}


def test_an_edit_is_found_by_the_digest(store: StoreLayout) -> None:
    path = write(store, example()) / "evaluation.json"
    path.write_text(path.read_text("utf-8").replace("data/march.csv", "data/april.csv"), "utf-8")
    assert rules(store) == {("evaluation.digest", "/content_sha256")}


def test_what_does_not_belong_is_found(store: StoreLayout) -> None:
    folder = write(store, example())
    (folder / "notes.txt").write_text("seen")
    assert rules(store) == {("evaluation.files", None)}
    (folder / "notes.txt").unlink()
    (folder / "evaluation.json").unlink()
    assert rules(store) == {("evaluation.files", None)}
    assert evaluations_of(RUN, [store]) == []
    with pytest.raises(RunForgeError) as caught:
        _ = list_evaluations(store)[0].record
    assert caught.value.code is ErrorCode.EVALUATION_NOT_FOUND


def test_links_are_not_followed(
    store: StoreLayout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    other = StoreLayout(elsewhere)
    folder = write(other, example())
    store.evaluations.mkdir()
    store.evaluation_folder(ID).symlink_to(folder)
    assert list_evaluations(store) == []
    assert not is_evaluation(f".runforge/evaluations/{ID}", [store])
    assert ("run.no-links", None) in rules(store)
    store.evaluation_folder(ID).unlink()
    store.evaluation_folder(ID).mkdir()
    (store.evaluation_folder(ID) / "evaluation.json").symlink_to(folder / "evaluation.json")
    assert evaluations_of(RUN, [store]) == []
    assert "evaluation.files" in {rule for rule, _ in rules(store)}
    shutil.rmtree(store.evaluations)
    store.evaluations.symlink_to(other.evaluations)
    assert list_evaluations(store) == []
    assert ("run.no-links", None) in rules(store)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"version": 1, "version": 1}',
        b'{"version": NaN}',
        b"\xff\xfe",
        b'{"version": 2, "kind": "evaluation"}',
        b" " * (65 * 2**20),
    ],
    ids=["empty", "cut", "deep", "twice", "nan", "encoding", "newer", "large"],
)
def test_a_document_that_cannot_be_read_is_a_finding(content: bytes, store: StoreLayout) -> None:
    folder = write(store, example())
    (folder / "evaluation.json").write_bytes(content)
    assert evaluations_of(RUN, [store]) == []
    assert rules(store)


@pytest.mark.parametrize(
    "reference", ["", "eval_", "../evaluations", "/etc/passwd", "eval_\0", "eval_20260301_080000_X"]
)
def test_a_reference_that_fits_none_is_refused(reference: str, store: StoreLayout) -> None:
    with pytest.raises(RunForgeError) as caught:
        find_evaluation(reference, [store])
    assert caught.value.code is ErrorCode.EVALUATION_NOT_FOUND


def test_an_evaluation_is_named_by_path_or_prefix(
    store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, example())
    other = example() | {"evaluation_id": f"{ID[:-1]}0"}
    write(store, other, f"{ID[:-1]}0")
    monkeypatch.chdir(store.workspace)
    for reference in (f".runforge/evaluations/{ID}", f".runforge/evaluations/{ID}/evaluation.json"):
        assert is_evaluation(reference, [store])
        assert find_evaluation(reference, [store]).id == ID
    assert find_evaluation(ID, [store]).id == ID
    with pytest.raises(RunForgeError) as caught:
        find_evaluation(ID[:-1], [store])
    assert caught.value.code is ErrorCode.EVALUATION_AMBIGUOUS
    assert not is_evaluation("eval_nothing", [store])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_an_error(store: StoreLayout) -> None:
    write(store, example())
    store.evaluations.chmod(0)
    try:
        with pytest.raises(RunForgeError) as caught:
            list_evaluations(store)
        assert caught.value.code is ErrorCode.FILE_UNREADABLE
    finally:
        store.evaluations.chmod(0o755)


def test_ids_follow_from_what_is_evaluated() -> None:
    time = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    first, second = islice(evaluation_id_candidates(time, RUN, "a" * 64, "b" * 64), 2)
    assert first == "eval_20260301_080000_c57e5e3b"
    assert second.startswith("eval_20260301_080000_")
    assert first != second
