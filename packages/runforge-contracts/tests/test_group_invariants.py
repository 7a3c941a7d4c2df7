"""Checks of groups: a sound one has no findings, and each fault has the one of its rule."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts import check_store
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.group_invariants import group_findings
from runforge_contracts.store.layout import GROUP, PLAN, REQUEST, StoreLayout
from runforge_contracts.store.run import Run

RUNS = Path(__file__).parents[3] / "docs/test-vectors/runs/v0.4.0/.runforge/runs"
VECTORS = RUNS.parents[3]
LINEAR, FAILED = "20260223-100000-e6dca325", "20260225-100000-c1b80f5d"
ID = "grp_20260223_100000_sweep"
Raw = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    """Return a store with a group of two runs and a duplicate."""
    store = StoreLayout(tmp_path)
    requests = [json.loads((RUNS / run_id / REQUEST).read_bytes()) for run_id in (LINEAR, FAILED)]
    given = ("$schema", "version", "created_at", "created_by", "rerun_from")
    names = [name for name in requests[0] if name not in given]
    overrides = [{f"/{name}": request.get(name) for name in names} for request in requests]
    plan = {
        "version": 1,
        "kind": "sweep_plan",
        "base_request": {name: requests[0][name] for name in ("$schema", "version")},
        "strategy": {"type": "list", "runs": [*overrides, overrides[0]]},
    }
    rows = []
    for number, (run_id, request) in enumerate(zip((LINEAR, FAILED), requests, strict=True), 1):
        folder = store.run_folder(run_id)
        shutil.copytree(RUNS / run_id, folder)
        named = {**request, "sweep_group_id": ID, "sweep_member": number}
        (folder / REQUEST).write_bytes(encode_json(named))
        metric = Run(folder).primary_metric
        rows.append(
            {
                "member": number,
                "run_id": run_id,
                "status": Run(folder).status,
                "request_overrides": overrides[number - 1],
                "result_ref": f".runforge/runs/{run_id}/result.json",
                **({"primary_metric": metric._asdict()} if metric else {}),
            }
        )
    group = {
        "version": 1,
        "kind": "run_group",
        "group_id": ID,
        "created_at": "2026-02-23T10:00:00Z",
        "created_by": "runforge@0.4.0",
        "plan_ref": "plan.json",
        "status": "failed",
        "execution": {"max_parallel": 1, "started_at": "2026-02-23T10:00:00Z", "cancelled": False},
        "datasets": [],
        "runs": rows,
        "duplicates": [{"member": 3, "same_as": 1}],
        "summary": {
            "total": 2,
            "succeeded": 1,
            "failed": 1,
            "canceled": 0,
            "best_run_id": LINEAR,
            "best_primary_metric": rows[0]["primary_metric"],
        },
    }
    folder = store.group_folder(ID)
    folder.mkdir(parents=True)
    (folder / GROUP).write_bytes(encode_json(group))
    (folder / PLAN).write_bytes(encode_json(plan))
    return store


def changed(store: StoreLayout, file: str, change: Callable[[Raw], object]) -> list[Finding]:
    """Return the findings after a change of a document."""
    path = store.group_folder(ID) / file if "/" not in file else store.runs / file
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(encode_json(document))
    return [*group_findings(store)]


def test_a_sound_group_has_no_findings(store: StoreLayout) -> None:
    assert [*group_findings(store)] == []


FAULTS: dict[str, tuple[str, str, str, Callable[[Raw], object]]] = {
    "other id": ("group.plan", "/group_id", GROUP, lambda g: g.update(group_id="grp_x")),
    "member missing": ("group.plan", "/runs", GROUP, lambda g: g["duplicates"].clear()),
    "member twice": (
        "group.plan",
        "/runs",
        GROUP,
        lambda g: g["duplicates"].append({"member": 2, "same_as": 1}),
    ),
    "member unknown": ("group.plan", "/runs", PLAN, lambda p: p["strategy"]["runs"].pop()),
    "other value": (
        "group.plan",
        "/runs/0/request_overrides",
        GROUP,
        lambda g: g["runs"][0]["request_overrides"].update({"/seed": 99}),
    ),
    "duplicate of a later one": (
        "group.plan",
        "/duplicates/0/same_as",
        GROUP,
        lambda g: g["duplicates"][0].update(same_as=9),
    ),
    "plan that cannot be executed": (
        "group.plan",
        "/strategy/runs/0/~1version",
        PLAN,
        lambda p: p["strategy"]["runs"][0].update({"/version": 1}),
    ),
    "no plan": ("sweep-plan.schema", "/kind", PLAN, lambda p: p.pop("kind")),
    "invalid group": ("group.schema", "/status", GROUP, lambda g: g.update(status="queued")),
    "other group in the request": (
        "group.runs",
        "/sweep_group_id",
        f"{LINEAR}/request.json",
        lambda r: r.update(sweep_group_id="grp_x"),
    ),
    "no member in the request": (
        "group.runs",
        "/sweep_member",
        f"{LINEAR}/request.json",
        lambda r: r.update(sweep_member=2),
    ),
    "other request": (
        "group.runs",
        "/seed",
        f"{LINEAR}/request.json",
        lambda r: r.update(seed=99),
    ),
    "other status": (
        "group.runs",
        "/runs/1/status",
        GROUP,
        lambda g: (
            g["runs"][1].update(status="canceled") or g["summary"].update(failed=0, canceled=1)
        ),
    ),
    "other metric": (
        "group.runs",
        "/runs/0/primary_metric",
        GROUP,
        lambda g: (
            g["runs"][0]["primary_metric"].update(value=0.5)
            or g["summary"]["best_primary_metric"].update(value=0.5)
        ),
    ),
    "result elsewhere": (
        "group.runs",
        "/runs/0/result_ref",
        GROUP,
        lambda g: g["runs"][0].update(result_ref="../result.json"),
    ),
    "succeeded without a run": (
        "group.runs",
        "/runs/1/status",
        GROUP,
        lambda g: g["runs"][1].pop("run_id"),
    ),
    "count": ("group.summary", "/summary/failed", GROUP, lambda g: g["summary"].update(failed=2)),
    "best": (
        "group.summary",
        "/summary/best_run_id",
        GROUP,
        lambda g: g["summary"].update(best_run_id=FAILED),
    ),
    "status": ("group.summary", "/status", GROUP, lambda g: g.update(status="succeeded")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_the_finding_of_its_rule(name: str, store: StoreLayout) -> None:
    rule, pointer, file, change = FAULTS[name]
    findings = changed(store, file, change)
    assert [(finding.rule, finding.pointer) for finding in findings] == [(rule, pointer)]


def test_a_group_without_a_plan_is_incomplete(store: StoreLayout) -> None:
    (store.group_folder(ID) / PLAN).unlink()
    assert [finding.rule for finding in group_findings(store)] == ["group.plan"]


def test_a_run_that_is_gone_is_not_compared(store: StoreLayout) -> None:
    shutil.rmtree(store.run_folder(LINEAR))
    assert [*group_findings(store)] == []


def test_links_among_the_groups_are_findings(store: StoreLayout, tmp_path: Path) -> None:
    (store.groups / "link").symlink_to(tmp_path)
    (finding,) = group_findings(store)
    assert (finding.rule, finding.file) == ("run.no-links", ".runforge/groups/link")


def test_groups_of_other_clients_are_only_read(store: StoreLayout) -> None:
    desktop = VECTORS / "field/documents/field.desktop_group.v1.full.json"
    folder = store.group_folder("grp_20260201_120000_trees")
    folder.mkdir()
    shutil.copy(desktop, folder / GROUP)
    assert [*group_findings(store)] == []


def test_the_check_of_a_store_includes_its_groups(store: StoreLayout) -> None:
    changed(store, GROUP, FAULTS["count"][3])
    findings = [finding for finding in check_store(store) if finding.rule.startswith("group.")]
    assert [finding.file for finding in findings] == [f".runforge/groups/{ID}/group.json"]


def test_an_entry_without_the_later_fields_is_sound_and_with_them_must_agree() -> None:
    from runforge_contracts.invariants.store_invariants import ADDED, entry_findings
    from runforge_contracts.store.reading import describe

    store = StoreLayout(RUNS.parents[1])
    entry = describe(Run(RUNS / LINEAR), store)
    assert entry["seed"] == 42
    assert entry["hyperparameters"]["C"] == 1.0
    older = {name: value for name, value in entry.items() if name not in ADDED}
    for sound in (entry, older):
        assert [*entry_findings(sound, store, "index.json", "")] == []
    wrong = copy.deepcopy(entry)
    wrong["hyperparameters"]["C"] = 2
    assert [
        (finding.rule, finding.pointer)
        for finding in entry_findings({**wrong, "seed": 1}, store, "index.json", "")
    ] == [("index.entry", "/seed"), ("index.entry", "/hyperparameters")]


@pytest.mark.parametrize("member", ["duration_ms", "final_metrics", "device"])
def test_an_entry_that_lacks_a_part_of_its_summary_is_a_finding(member: str) -> None:
    from runforge_contracts.invariants.store_invariants import entry_findings
    from runforge_contracts.store.reading import describe

    store = StoreLayout(RUNS.parents[1])
    entry = describe(Run(RUNS / LINEAR), store)
    value = entry["summary"].pop(member)
    (finding,) = entry_findings(entry, store, "index.json", "/runs/0")
    assert (finding.rule, finding.pointer) == ("index.entry", f"/runs/0/summary/{member}")
    assert finding.expected == value
