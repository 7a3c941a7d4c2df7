"""Rules that every client shares: the primary metric, durations, ids, safe text, the layout."""

from __future__ import annotations

import unicodedata
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.display import format_duration, printable, quote, shorten
from runforge_contracts.metrics import primary_metric
from runforge_contracts.run_ids import is_any_run_id, is_run_id, run_id_candidates
from runforge_contracts.store.layout import StoreLayout, find_workspace, stores_in


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ({"primary_metric": {"name": "mine", "value": 1}, "metrics": {"accuracy": 2}}, ("mine", 1)),
        ({"metrics": {"loss": 3, "f1_score": 2, "accuracy": 1}}, ("accuracy", 1)),
        ({"metrics": {"loss": 3, "f1_score": 2, "a": 0}}, ("f1_score", 2)),
        ({"metrics": {"loss": 3, "a": 0}}, ("loss", 3)),
        ({"metrics": {"b": 1, "a": 0}}, ("a", 0)),
        ({"metrics": {}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_primary_metric_follows_the_policy(
    summary: dict[str, Any] | None, expected: tuple[str, float] | None
) -> None:
    assert primary_metric(summary) == expected


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0ms"),
        (123, "123ms"),
        (999, "999ms"),
        (1000, "1.0s"),
        (1149, "1.1s"),
        (1150, "1.2s"),
        (1249, "1.2s"),
        (1250, "1.3s"),
        (5000, "5.0s"),
        (59_949, "59.9s"),
        (59_950, "60.0s"),
        (59_999, "60.0s"),
        (1150.0, "1.2s"),
        (123.0, "123ms"),
        (60_000, "1.0m"),
        (150_000, "2.5m"),
        (3_599_999, "60.0m"),
        (3_600_000, "1.0h"),
        (5_400_000, "1.5h"),
        (360_000_000, "100.0h"),
    ],
)
def test_durations_read_alike_everywhere(milliseconds: float, shown: str) -> None:
    assert format_duration(milliseconds) == shown


def test_run_ids_come_from_time_request_and_data() -> None:
    request = {"b": 1, "a": [1.0, None]}
    ids = list(islice(run_id_candidates("2026-02-01T12:00:00Z", request, "0" * 64), 5))
    assert all(is_run_id(run_id) and run_id.startswith("20260201-120000-") for run_id in ids)
    assert len(set(ids)) == 5
    turned = {"a": [1.0, None], "b": 1}
    assert next(run_id_candidates("2026-02-01T12:00:00Z", turned, "0" * 64)) == ids[0]
    for other in (
        run_id_candidates("2026-02-01T12:00:00Z", {**request, "c": 1}, "0" * 64),
        run_id_candidates("2026-02-01T12:00:00Z", request, "1" * 64),
    ):
        assert next(other) not in ids


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", "../x", "a\\b", "a\n", " a", "-x", "x" * 129]
)
def test_what_is_no_folder_name_is_no_run_id(text: str) -> None:
    assert not is_any_run_id(text)
    assert not is_run_id(text)


@given(st.text())
def test_text_for_a_terminal_is_printable(text: str) -> None:
    # Spaces of other widths are harmless; Python does not count them as printable.
    shown = printable(text)
    assert all(one.isprintable() or unicodedata.category(one) == "Zs" for one in shown)
    assert len(shorten(text, 5)) <= 5
    assert quote(text).startswith("`")


def test_printable_text_is_left_as_it_is() -> None:
    assert printable("Ünïcödé 鳶尾 🌸") == "Ünïcödé 鳶尾 🌸"
    assert printable("\x1b[2J\u202e\n") == "\\x1b[2J\\u202e\\n"


def test_the_workspace_is_the_nearest_folder_with_a_store(tmp_path: Path) -> None:
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    assert find_workspace(inner) == inner
    (tmp_path / ".runforge/runs").mkdir(parents=True)
    assert find_workspace(inner) == tmp_path
    (tmp_path / "a/.ml/outputs").mkdir(parents=True)
    (tmp_path / "a/.ml/outputs/index.json").touch()
    assert find_workspace(inner) == tmp_path / "a"
    assert find_workspace(inner, ".runforge") == tmp_path


def test_both_stores_of_a_workspace_are_read(tmp_path: Path) -> None:
    assert [store.name for store in stores_in(tmp_path)] == [".runforge"]
    (tmp_path / ".ml").mkdir()
    assert [store.name for store in stores_in(tmp_path)] == [".ml"]
    (tmp_path / ".runforge").mkdir()
    assert [store.name for store in stores_in(tmp_path)] == [".runforge", ".ml"]
    assert StoreLayout(tmp_path, ".ml").index == tmp_path / ".ml/outputs/index.json"
    assert StoreLayout(tmp_path).index == tmp_path / ".runforge/index.json"
    assert StoreLayout(tmp_path).relative(tmp_path / "a/b") == "a/b"
    assert StoreLayout(tmp_path / "a").relative(tmp_path / "b") == (tmp_path / "b").as_posix()
    assert StoreLayout(tmp_path).relative(tmp_path) == "."
    for workspace, folder in ((Path(), tmp_path), (tmp_path, Path("b")), (Path(), Path("a/b"))):
        assert StoreLayout(workspace).relative(folder) == folder.as_posix()
