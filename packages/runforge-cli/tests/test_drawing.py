"""Numbers as pictures, on a terminal and in a report: any finite ones, however far apart."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_cli.report.history_blocks import (
    MAX_MULTIPLES,
    Point,
    compared_blocks,
    history_blocks,
)
from runforge_cli.report.html_page import html_page
from runforge_cli.report.markdown_page import markdown_page
from runforge_cli.report.report_blocks import Multiples, Plot, Report, Section
from runforge_cli.report.scales import is_geometric, logarithmic_scale, scale_of
from runforge_cli.terminal.text_layout import chart, sparkline

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.lists(FINITE | st.integers(-(2**53), 2**53), min_size=1, max_size=300)
POINTS = st.lists(st.builds(Point, FINITE, FINITE), min_size=1, max_size=300)


@given(VALUES, st.booleans())
def test_a_scale_holds_all_numbers_and_its_marks(values: list[float], whole: bool) -> None:
    scale = scale_of(values, whole=whole)
    assert scale.lower < scale.upper
    for number in (*values, *scale.marks):
        assert -1e-9 <= scale.share(float(number)) <= 1 + 1e-9
    assert len(scale.marks) <= 12


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ((0.0357, 0.7165), ("0", "0.2", "0.4", "0.6", "0.8")),
        ((1, 10), ("0", "2", "4", "6", "8", "10")),
        ((-3, 7), ("-4", "-2", "0", "2", "4", "6", "8")),
        ((5, 5), ("2", "3", "4", "5", "6", "7", "8")),
        ((1e-5, 9e-5), ("0", "2e-05", "4e-05", "6e-05", "8e-05", "0.0001")),
    ],
)
def test_marks_are_round_numbers(values: tuple[float, ...], marks: tuple[str, ...]) -> None:
    assert tuple(f"{mark:g}" for mark in scale_of(values).marks) == marks


@given(VALUES, st.integers(1, 40))
def test_a_row_of_blocks_has_its_room(values: list[float], columns: int) -> None:
    assert len(sparkline(values, columns)) == min(len(values), columns)


def test_a_row_of_blocks_goes_from_least_to_greatest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20) == "▁▂▃▄▅▆▇█"
    assert sparkline([1.0, 1.0], 20) == "▅▅"
    assert sparkline([0, 0, 1, 1], 2) == "▁█"
    assert sparkline([], 20) == ""
    assert sparkline([1.7e308, -1.7e308, 0], 3) == "█▁▅"


@given(VALUES, st.integers(1, 60), st.integers(2, 10))
def test_a_curve_of_blocks_has_its_room(values: list[float], columns: int, lines: int) -> None:
    drawn = chart(values, columns, lines)
    assert len(drawn) == lines
    assert max(map(len, drawn)) <= columns + 15


def test_a_curve_of_blocks_shows_its_ends() -> None:
    assert chart([1.0, 2.0], 2, 2) == ["  2.0000  █", "  1.0000 ▁█"]
    assert {len(line) for line in chart([1.0, 3.0, 2.0], 60, 4)} <= set(range(50))


@given(POINTS, POINTS)
def test_any_history_can_be_reported(one: list[Point], other: list[Point]) -> None:
    blocks = [
        *history_blocks({"loss": one, "a": other}),
        *compared_blocks([("A", {"loss": one}), ("B", {"loss": other})], "A"),
    ]
    report = Report("t", "l", [Section("s", blocks)], "f")
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html_page(report))
    markdown_page(report)
    for plot in (block for block in blocks if isinstance(block, Plot)):
        for series in plot.series:
            assert len(series.x) == len(series.y) <= 202
            assert all(-1e-9 <= share <= 1 + 1e-9 for share in (*series.x, *series.y))


def test_a_long_history_keeps_its_extremes() -> None:
    points = [Point(step, 0.0) for step in range(100_000)]
    points[12_345], points[54_321] = Point(12_345, 9.0), Point(54_321, -9.0)
    [plot] = history_blocks({"loss": points})
    assert isinstance(plot, Plot)
    [series] = plot.series
    assert len(series.x) <= 202
    shares = {plot.y_scale.share(value) for value in (9.0, -9.0)}
    assert shares <= set(series.y)
    assert list(series.x) == sorted(series.x)
    assert "the least -9.0000 at step 54321" in plot.description


def test_many_metrics_are_not_all_drawn() -> None:
    history = {f"metric {number}": [Point(1, 0.0), Point(2, 1.0)] for number in range(40)}
    assert sum(isinstance(block, Plot) for block in history_blocks(history)) == 24
    compared = compared_blocks([("A", history), ("B", history)], "A")
    assert sum(isinstance(block, Plot) for block in compared) == 24
    runs = [(f"{number}", history) for number in range(12)]
    small = compared_blocks(runs, "0")
    assert sum(isinstance(block, Multiples) for block in small) == MAX_MULTIPLES
    assert isinstance(small[0], Multiples)
    assert len(small[0].items) == len(small[0].table.rows) == 12


POSITIVE = st.lists(st.floats(5e-324, 1.7e308), min_size=1, max_size=30)


@given(POSITIVE)
def test_a_logarithmic_scale_holds_all_numbers_and_its_marks(values: list[float]) -> None:
    scale = logarithmic_scale(values)
    assert 0 < scale.lower < scale.upper
    for number in (*values, *scale.marks):
        assert -1e-9 <= scale.share(number) <= 1 + 1e-9
    assert len(scale.marks) <= 9


@pytest.mark.parametrize(
    ("values", "geometric"),
    [
        ((0.01, 0.1, 1, 10), True),
        ((5, 10, 20, 50, 100, 200), True),
        ((1, 2, 4, 8), True),
        ((1, 2, 3, 4, 5), False),
        ((100, 200, 300, 400, 500), False),
        ((1, 1000), False),
        ((0, 1, 10, 100), False),
        ((-1, 1, 10, 100), False),
    ],
)
def test_only_ratios_give_a_logarithmic_axis(values: tuple[float, ...], geometric: bool) -> None:
    assert is_geometric(values) == geometric


def test_marks_of_a_logarithmic_axis() -> None:
    assert logarithmic_scale((0.001, 100)).marks == (0.001, 0.01, 0.1, 1, 10, 100)
    assert logarithmic_scale((5, 200)).marks == (5, 10, 20, 50, 100, 200)
    assert logarithmic_scale((3, 40)).marks == (2, 5, 10, 20, 50)
