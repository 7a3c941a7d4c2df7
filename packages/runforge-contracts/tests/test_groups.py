"""Groups of runs: listing, finding, reading; hostile folders and those of other clients."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts import ErrorCode, RunForgeError
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.metrics import Metric
from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store.layout import GROUP, PLAN, StoreLayout
from runforge_contracts.sweeps.groups import (
    Group,
    GroupRow,
    best_member,
    best_members,
    find_group,
    group_id,
    group_ids,
    list_groups,
)

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"
OURS = json.loads((VECTORS / "group.v1.full.json").read_bytes())
DESKTOP = json.loads((VECTORS / "field/documents/field.desktop_group.v1.full.json").read_bytes())
PLAN_BYTES = (VECTORS / "sweep_plan.v1.full.json").read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path)


def put(store: StoreLayout, document: dict[str, Any], name: str | None = None) -> Path:
    """Write a group into the store."""
    folder = store.group_folder(name or document["group_id"])
    folder.mkdir(parents=True)
    (folder / GROUP).write_bytes(encode_json({**document, "group_id": folder.name}))
    (folder / PLAN).write_bytes(PLAN_BYTES)
    return folder


def error_of(reference: str, store: StoreLayout) -> ErrorCode:
    with pytest.raises(RunForgeError) as caught:
        find_group(reference, [store])
    return caught.value.code


def test_a_group_is_read(store: StoreLayout) -> None:
    group = Group(put(store, OURS))
    assert (group.id, group.name, group.status) == (OURS["group_id"], "strength of C", "failed")
    assert group.created_at == "2026-02-01T12:00:00Z"
    assert group.store == store
    assert group.client_form is None
    assert group.plan is not None
    assert [row.member for row in group.members()] == [1, 2, 4, 5, 6]
    assert group.members()[3] == GroupRow(
        member=5,
        status="pending",
        run_id=None,
        overrides={"/model/hyperparameters/C": None},
        primary_metric=None,
        result_ref=None,
    )
    assert group.members()[1].primary_metric == Metric("accuracy", 0.9666666666666667)
    assert group.members()[2].earlier_run_ids == ["20260201-120002-abc12348"]
    assert group.duplicates() == {3: 2}


def test_a_group_of_the_desktop_command_line_is_read_as_what_it_is(store: StoreLayout) -> None:
    document = {**DESKTOP, "status": "paused", "priority": 3}
    document["runs"] = [*DESKTOP["runs"], {"run_id": "r3", "status": "queued", "slot": None}]
    folder = put(store, document)
    before = (folder / GROUP).read_bytes()
    group = find_group("latest", [store])
    assert group.client_form == "the command line of Desktop"
    assert (group.status, group.name) == ("paused", "trees")
    assert group.created_at == "2026-02-01T12:00:00.123456Z"
    assert [(row.member, row.status) for row in group.members()] == [
        (1, "succeeded"),
        (2, "pending"),
        (3, "queued"),
    ]
    assert group.members()[1].primary_metric is None
    assert group.duplicates() == {}
    assert (folder / GROUP).read_bytes() == before


def test_a_group_that_was_just_begun_has_its_plan_alone(store: StoreLayout) -> None:
    folder = put(store, OURS)
    (folder / GROUP).unlink()
    (group,) = list_groups(store)
    assert (group.status, group.name, group.members()) == ("incomplete", "Strength of C", [])
    assert find_group("Strength of C", [store]) == group


def test_groups_are_listed_from_the_oldest(store: StoreLayout) -> None:
    for name, time in (("b", "2026-02-01T12:00:00Z"), ("c", "2026-01-01T12:00:00Z")):
        put(store, {**OURS, "created_at": time}, name)
    put(store, {**DESKTOP, "created_at": "2026-01-15T12:00:00.5"}, "a")
    assert [group.id for group in list_groups(store)] == ["c", "a", "b"]
    assert find_group("latest", [store]).id == "b"


def test_a_group_is_found_by_id_prefix_name_and_path(
    store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(store, OURS, "grp_20260201_120000_one")
    put(store, {**OURS, "name": "two"}, "grp_20260201_120000_one_2")
    put(store, {**OURS, "name": None}, "grp_20260301_120000_sweep")
    for reference in (
        "grp_20260201_120000_one",
        "strength of C",
        str(folder),
        str(folder / GROUP),
        ".runforge/groups/grp_20260201_120000_one",
        ".runforge/groups/grp_20260201_120000_one/plan.json",
    ):
        assert find_group(reference, [store]).path == folder
    monkeypatch.chdir(folder.parent)
    assert find_group("./grp_20260201_120000_one", [store]).path == folder
    assert find_group("grp_202603", [store]).id == "grp_20260301_120000_sweep"
    assert error_of("grp_202602", store) is ErrorCode.GROUP_AMBIGUOUS
    for missing in ("grp_x", "", "../runs", "/", "None", str(store.runs / "x"), "a\x1b[31m"):
        assert error_of(missing, store) is ErrorCode.GROUP_NOT_FOUND


def test_a_name_of_several_groups_is_ambiguous(store: StoreLayout) -> None:
    put(store, OURS, "a")
    put(store, OURS, "b")
    assert error_of("strength of C", store) is ErrorCode.GROUP_AMBIGUOUS


def test_a_store_without_groups_has_none(store: StoreLayout) -> None:
    assert list_groups(store) == []
    assert error_of("latest", store) is ErrorCode.GROUP_NOT_FOUND
    assert error_of("x", store) is ErrorCode.GROUP_NOT_FOUND
    store.groups.parent.mkdir(parents=True)
    store.groups.write_text("a file")
    assert group_ids(store) == []


def test_links_are_not_followed(store: StoreLayout, tmp_path: Path) -> None:
    elsewhere = put(StoreLayout(tmp_path / "elsewhere"), OURS, "outside")
    store.groups.mkdir(parents=True)
    (store.groups / "outside").symlink_to(elsewhere)
    assert list_groups(store) == []
    assert error_of("outside", store) is ErrorCode.GROUP_NOT_FOUND
    assert error_of(str(store.groups / "outside"), store) is ErrorCode.GROUP_NOT_FOUND
    folder = put(store, OURS, "inside")
    for file in (GROUP, PLAN):
        (folder / file).unlink()
        (folder / file).symlink_to(elsewhere / file)
    (group,) = list_groups(store)
    for read in (group.members, lambda: group.plan):
        with pytest.raises(RunForgeError) as caught:
            read()
        assert caught.value.code is ErrorCode.FILE_UNSAFE


def test_a_folder_of_groups_that_is_a_link_is_not_followed(
    store: StoreLayout, tmp_path: Path
) -> None:
    put(StoreLayout(tmp_path / "elsewhere"), OURS, "outside")
    store.root.mkdir()
    store.groups.symlink_to(tmp_path / "elsewhere/.runforge/groups")
    assert list_groups(store) == []
    assert error_of("outside", store) is ErrorCode.GROUP_NOT_FOUND


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_not_read(store: StoreLayout) -> None:
    folder = put(store, OURS)
    (folder / GROUP).unlink()
    os.mkfifo(folder / GROUP)
    (group,) = list_groups(store)
    with pytest.raises(RunForgeError) as caught:
        group.members()
    assert caught.value.code is ErrorCode.FILE_UNSAFE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"version": 1, "kind": "run_group", "runs": NaN}',
        b'{"version": 2, "kind": "run_group"}',
        b"\xff\xfe",
        encode_json({**OURS, "group_id": "../../etc"}),
        encode_json({**OURS, "plan_ref": "../../plan.json"}),
        encode_json({**OURS, "runs": [{**OURS["runs"][0], "run_id": "../x"}]}),
        encode_json({**OURS, "runs": [{**OURS["runs"][0], "member": 0}]}),
        encode_json({**OURS, "summary": {**OURS["summary"], "total": -1}}),
        encode_json({**DESKTOP, "runs": 3}),
    ],
)
def test_a_broken_group_hides_no_other(store: StoreLayout, data: bytes) -> None:
    put(store, OURS, "sound")
    folder = put(store, OURS, "broken")
    (folder / GROUP).write_bytes(data)
    assert [group.id for group in list_groups(store)] == ["broken", "sound"]
    assert find_group("latest", [store]).id == "sound"
    assert find_group("strength of C", [store]).id == "sound"
    with pytest.raises(RunForgeError):
        find_group("broken", [store]).members()


def test_other_files_and_names_among_the_groups_are_left_out(store: StoreLayout) -> None:
    store.groups.mkdir(parents=True)
    (store.groups / "notes.txt").write_text("x")
    for name in (".hidden", "a b", "\x1b[31mred", "empty"):
        (store.groups / name).mkdir()
    assert list_groups(store) == []
    assert error_of("empty", store) is ErrorCode.GROUP_NOT_FOUND


def test_names_are_shown_without_control_characters(store: StoreLayout) -> None:
    put(store, {**OURS, "name": "a\x1b[2Jb"}, "x")
    put(store, {**OURS, "name": "a\x1b[2Jb"}, "y")
    with pytest.raises(RunForgeError) as caught:
        find_group("a\x1b[2Jb", [store])
    assert "\x1b" not in caught.value.message
    assert "\x1b" not in repr(Group(store.group_folder("x\x1b")))


def row(member: int, value: float | None, status: str = "succeeded", name: str = "accuracy") -> Any:
    metric = None if value is None else Metric(name, value)
    return GroupRow(member, status, f"r{member}", {}, metric, None)


def test_the_best_member_is_the_first_of_equals() -> None:
    rows = [row(3, 0.9), row(2, 0.9), row(1, 0.5), row(4, 0.99, "failed"), row(5, None)]
    assert [best.member for best in best_members(rows)] == [2, 3]
    found = best_member(rows)
    assert found is not None
    assert found.member == 2
    assert best_member([row(1, None), row(2, 0.5, "canceled")]) is None


def test_the_least_loss_is_the_best_and_other_metrics_are_not_compared() -> None:
    rows = [row(1, 0.9, name="val_loss"), row(2, 0.1, name="val_loss"), row(3, 0.0)]
    assert [best.member for best in best_members(rows)] == [2]


def test_the_id_of_a_group_has_time_and_name() -> None:
    time = datetime(2026, 2, 1, 12, 0, 0, 500, tzinfo=UTC)
    assert group_id("Strength of C", time) == "grp_20260201_120000_Strength_of_C"
    assert group_id(None, time) == group_id("", time) == "grp_20260201_120000_sweep"
    assert group_id("x" * 50, time) == "grp_20260201_120000_" + "x" * 20
    assert group_id("é/../ü", time) == "grp_20260201_120000_" + "_" * 6
    assert group_id("a", time.astimezone(timezone(timedelta(hours=5)))).startswith(
        "grp_20260201_120000"
    )


@given(st.text(max_size=40))
def test_every_name_makes_an_id_that_is_safe_as_a_folder(name: str) -> None:
    made = group_id(name, datetime(2026, 2, 1, tzinfo=UTC))
    assert made.isascii()
    assert is_any_run_id(made)
