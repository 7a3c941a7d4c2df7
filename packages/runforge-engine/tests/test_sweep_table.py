"""The table of a sweep: order, ties, settings and their spread, grids, and the notebook."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from runforge_contracts.errors import RunForgeError
from runforge_contracts.metrics import Metric
from runforge_engine.api.sweep_html import sweep_html
from runforge_engine.store.sweep_grid import extent_of, goodness, grids_of, mean_of
from runforge_engine.store.sweep_members import ListedMember, sweep_table
from runforge_engine.store.sweep_settings import SweepSetting, settings_of, within_reach
from runforge_engine.store.sweep_table import SweepCell, SweepTable, short_names, value_label

BASE = {"preset": "balanced", "seed": 3, "model": {"hyperparameters": {"C": 2}}}
H = "/model/hyperparameters/"
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def table_of(
    *members: tuple[Mapping[str, Any], float | None], metric: str = "accuracy"
) -> SweepTable:
    """Return a table of members that have values of a metric, and of pending ones."""
    listed = [
        ListedMember(
            number,
            overrides,
            "pending" if value is None else "succeeded",
            None,
            None if value is None else Metric(metric, value),
        )
        for number, (overrides, value) in enumerate(members, 1)
    ]
    return sweep_table({"group_id": "g", "status": "succeeded"}, BASE, listed, lambda _: None)


def test_members_are_ranked_and_ties_go_to_the_lowest_number() -> None:
    table = table_of(({H + "C": 1}, 0.5), ({H + "C": 2}, None), ({H + "C": 3}, 0.9), ({}, 0.9))
    assert [row.number for row in table.ranked()] == [3, 4, 1, 2]
    assert [row.number for row in table.best()] == [3, 4]
    losses = table_of(({H + "C": 1}, 0.5), ({H + "C": 2}, 0.1), metric="log_loss")
    assert [row.number for row in losses.ranked()] == [2, 1]


def test_only_what_varies_is_a_column() -> None:
    table = table_of(({H + "C": 1, "/preset": "fast"}, 0.5), ({H + "C": 1.0, "/seed": 4}, 0.5))
    assert [column.name for column in table.columns] == ["preset", "seed"]
    assert [column.name for column in table.constants] == ["C"]
    # What a member does not set is what the base request says.
    assert [cell.text for cell in table.rows[0].cells] == ["fast", "3"]
    assert [cell.text for cell in table.rows[1].cells] == ["balanced", "4"]


def test_null_is_a_default() -> None:
    table = table_of(({H + "C": 1}, 0.5), ({H + "C": None}, None))
    assert [cell.text for cell in table.columns[0].cells] == ["1", "default"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (1e-5, "1e-05"),
        (0.1 + 0.2, "0.30000000000000004"),
        (True, "true"),
        (None, "none"),
        ("a b", "a b"),
        (["a", 1], "a, 1"),
        ({"a": 1}, '{"a": 1}'),
        (10**30, "1" + "0" * 30),
    ],
)
def test_values_are_short_texts(value: Any, text: str) -> None:
    assert value_label(value) == text


def test_equal_values_are_one_however_they_are_written() -> None:
    assert SweepCell(1).key == SweepCell(1.0).key
    assert SweepCell(1).key != SweepCell(True).key
    assert SweepCell(1).key != SweepCell("1").key
    assert SweepCell(1).key != SweepCell(1, is_default=True).key
    assert SweepCell(10**400).key != SweepCell(10**401).key


def test_names_are_as_long_as_they_must_be() -> None:
    paths = ["/model/hyperparameters/C", "/seed", "/a/x", "/b/x", "plain"]
    assert list(short_names(paths).values()) == ["C", "seed", "a.x", "b.x", "plain"]


def test_the_spread_of_a_setting() -> None:
    table = table_of(*(({H + "C": c, "/seed": s}, c + s) for c in (10, 20) for s in (1, 2, 3)))
    best, other = settings_of(table)
    assert [cell.value for cell in best.cells] == [20]
    assert (best.mean, best.least, best.greatest) == (22, 21, 23)
    # Student's t for two degrees of freedom is 4.302653.
    assert best.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert best.deviation == pytest.approx(1)
    assert within_reach([best, other]) == []
    assert within_reach([best, best]) == [best]
    assert SweepSetting((), (), (1.0,)).half_width is None
    assert SweepSetting((), (), (1.0, 1.0)).half_width == 0


@given(st.lists(FINITE, min_size=1, max_size=20))
@example([sys.float_info.max] * 3)
def test_any_values_have_a_mean(values: list[float]) -> None:
    setting = SweepSetting((), (), tuple(values))
    assert setting.mean is not None
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= setting.mean <= max(values) + slack
    if len(values) > 1:
        assert setting.half_width is not None
        assert setting.half_width >= 0


def test_members_in_a_grid() -> None:
    members = [
        ({H + "a": a, H + "b": b, "/seed": s}, a + b + s / 10)
        for a in (1, 2, 3)
        for b in (1, 2)
        for s in (1, 3)
    ]
    table = table_of(*members)
    (grid,) = grids_of(table, "accuracy")
    assert (grid.down.name, grid.across.name) == ("a", "b")
    first = mean_of(table, grid.at(grid.rows[0], grid.columns[1]), "accuracy")
    assert first == pytest.approx(3.2)
    extent = extent_of(table, [grid], "accuracy")
    assert extent == pytest.approx((2.2, 5.2))
    assert goodness(5.2, (2.2, 5.2), "accuracy") == 1
    assert goodness(5.2, (2.2, 5.2), "log_loss") == 0
    assert goodness(1.0, (1.0, 1.0), "accuracy") == 1
    # Members that cover a small part of the combinations make no grid.
    diagonal = [({H + "a": number, H + "b": number}, number / 10) for number in (1, 2, 3)]
    assert grids_of(table_of(*diagonal), "accuracy") == []


def test_an_unknown_order_is_refused() -> None:
    table = table_of(({H + "C": 1}, 0.5), ({H + "C": 2}, 0.7))
    with pytest.raises(RunForgeError, match="nothing named `x`"):
        table.sorted_by("x")


def test_a_notebook_shows_every_shape_of_sweep() -> None:
    grid = table_of(*(({H + "a": a, H + "b": b}, a * b / 10) for a in (1, 2) for b in (1, 2, 3)))
    shown = sweep_html(grid)
    assert "Best accuracy: 0.6000 of member 6. a=2, b=3" in shown
    assert shown.count("rgba(") == 6
    seeds = sweep_html(table_of(*(({"/seed": s}, s / 10) for s in range(30))))
    assert "the first 20 of 30" in seeds
    assert "±" in seeds
    empty = sweep_html(table_of(({H + "a": 1}, None)))
    assert "1 pending" in empty
    hostile = "<script>\x1b\u202e"
    page = sweep_html(table_of(({hostile: hostile}, 0.5), ({hostile: 1}, 0.7), metric=hostile))
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
