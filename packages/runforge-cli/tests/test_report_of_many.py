"""Reports of many runs: a row for each, equal sentences once, small pictures, narrow screens."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from browsers import BROWSERS, HEADLESS
from calls import ROOT, Call
from page_rules import check_harmless, check_plain_markdown, local, texts
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request

#: Strengths of the regularization; the first is that of the baseline.
STRENGTHS = (1.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 3.0, 10.0, 30.0, 100.0, 300.0)
TEXTS = ["island", "sex", "year"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a workspace with 15 real runs, and their ids in the order of their letters."""
    workspace = tmp_path_factory.mktemp("many")
    penguins = (ROOT / "examples/penguins.csv").read_text("utf-8").splitlines()
    two = [line for line in penguins if not line.startswith("Gentoo")]
    (workspace / "two.csv").write_text("\n".join(two) + "\n", "utf-8")
    store = StoreLayout(workspace)

    def train(family: str, excluded: list[str], **values: Any) -> str:
        request = new_request(
            dataset=workspace / "two.csv",
            label_column="species",
            exclude_columns=excluded,
            store=store,
            created_by="tests@1",
            model_family=family,
            hyperparameters=values,
            name=f"a run with {values}",
        )
        return Path(execute(request, store).run_dir).name

    weak = [*TEXTS, "bill_length_mm"]
    ids = [train("logistic_regression", weak, C=value) for value in STRENGTHS]
    ids.append(train("random_forest", TEXTS, n_estimators=50))
    ids.append(train("linear_svc", TEXTS, C=1.0))
    ids.append(train("logistic_regression", [], C=1.0))
    return workspace, ids


@pytest.fixture
def report(runforge: Call, many: tuple[Path, list[str]], tmp_path: Path) -> Any:
    """Return a function that writes a report on the first runs and returns its path."""
    workspace, ids = many

    def write(count: int = 15, *options: str, suffix: str = ".html") -> Path:
        target = tmp_path / f"out{suffix}"
        arguments = ("--workspace", str(workspace), "-o", str(target), "--force", *options)
        result = runforge("report", *ids[:count], *arguments)
        assert result.code == 0, result.err
        return target

    return write


def _table(tree: Any, caption: str) -> list[list[Any]]:
    """Return the cells of the rows of a table."""
    for table in tree.iter("table"):
        if texts(table, "caption")[0].startswith(caption):
            return [list(row) for row in table.iter("tr")]
    raise AssertionError(caption)


def _text(cell: Any) -> str:
    return "".join(cell.itertext())


def test_each_run_has_a_row_with_metrics_and_differences(
    report: Any, many: tuple[Path, list[str]]
) -> None:
    workspace, ids = many
    tree = check_harmless(report(15, "--no-model").read_text("utf-8"))
    header, *rows = _table(tree, "Runs by accuracy")
    names = [_text(cell) for cell in header]
    assert names[:2] == ["Run", "accuracy"]
    assert {"C", "model_family", "exclude_columns", "Status", "Finished", "Id"} <= set(names)
    # What is equal in all runs has no column.
    assert not {"seed", "device", "label_column"} & set(names)
    assert sorted(_text(row[-1]) for row in rows) == sorted(ids)
    accuracies = [_text(row[1]) for row in rows]
    assert accuracies[-1] == "failed"
    measured = [float(text) for text in accuracies[:-1]]
    assert measured == sorted(measured, reverse=True)
    for row in rows[:-1]:
        recorded = Run(workspace / ".runforge/runs" / _text(row[-1])).record
        assert recorded is not None
        assert _text(row[1]) == f"{recorded['metrics']['accuracy']:.4f}"


def test_ties_for_the_best_value_are_all_marked(report: Any) -> None:
    tree = check_harmless(report(15, "--no-model").read_text("utf-8"))
    _, *rows = _table(tree, "Runs by accuracy")
    marked = [_text(row[0])[0] for row in rows if "best" in row[1].attrib.get("class", "")]
    assert len(marked) >= 2
    assert {row[1].text or _text(row[1]) for row in rows[: len(marked)]} == {_text(rows[0][1])}
    (lead,) = [p for p in texts(tree, "p") if p.startswith("15 runs: 14 succeeded, 1 failed")]
    assert all(letter in lead.partition("The best accuracy is")[2] for letter in marked)


def test_only_values_other_than_those_of_the_baseline_are_marked(report: Any) -> None:
    tree = check_harmless(report(15, "--no-model").read_text("utf-8"))
    header, *rows = _table(tree, "Runs by accuracy")
    column = [_text(cell) for cell in header].index("C")
    cells = {_text(row[0])[0]: row[column] for row in rows}
    for letter, cell in cells.items():
        differs = _text(cell) not in ("1.0", "–")
        assert ("changed" in cell.attrib.get("class", "")) == differs, letter
    assert "changed" not in cells["A"].attrib["class"]


def test_equal_conclusions_stand_once(report: Any) -> None:
    tree = check_harmless(report(15, "--no-model").read_text("utf-8"))
    assert len([text for text in texts(tree, "p") if text.startswith("B–L, each: ")]) == 1
    assert not [text for text in texts(tree, "p") if text.startswith(("C: ", "K: "))]


@pytest.mark.parametrize("count", [2, 4, 15])
def test_no_two_landmarks_have_the_same_name(count: int, report: Any) -> None:
    tree = check_harmless(report(count).read_text("utf-8"))
    names = {
        e.attrib["id"]: " ".join("".join(e.itertext()).split())
        for e in tree.iter()
        if "id" in e.attrib
    }
    found = [
        e.attrib.get("aria-label")
        or " ".join(names[at] for at in e.attrib["aria-labelledby"].split())
        for e in tree.iter()
        if e.tag == "section" or e.attrib.get("role") == "region"
    ]
    assert len({name.casefold() for name in found}) == len(found)
    matrices = [name for name in found if ": Confusion matrix (rows" in name]
    assert len(matrices) > count / 2


def test_curves_and_matrices_are_small_and_few(report: Any) -> None:
    tree = check_harmless(report().read_text("utf-8"))
    figures = [e for e in tree.iter("figure") if e.attrib.get("class") == "multiples"]
    titles = [texts(figure, "strong")[0] for figure in figures]
    assert [title.partition(" ")[0] for title in titles] == [
        "Validation",
        "ROC",
        "Precision",
        "Calibration",
    ]
    for figure, count in zip(figures, (14, 14, 14, 13), strict=True):
        pictures = [e for e in figure.iter() if e.attrib.get("role") == "img"]
        assert len(pictures) == count
        assert all("run " in picture.attrib["aria-label"] for picture in pictures)
        assert len(next(iter(figure.iter("tbody")))) == count
    # The baseline is pale in every plot but its own.
    pale = [e for e in figures[1].iter() if "pale" in e.attrib.get("class", "").split()]
    assert len(pale) == 13
    # The details of each run are folded.
    headings = texts(tree, "h2")
    assert headings[-1] == "Each run"
    assert not [heading for heading in headings if heading.startswith("Run ")]
    folded = [e for e in tree.iter("summary") if list(e.iter("h3"))]
    assert len(folded) == 15


@pytest.mark.parametrize("count", [2, 15])
def test_rows_lead_to_the_details_of_their_runs(count: int, report: Any) -> None:
    tree = check_harmless(report(count, "--no-model").read_text("utf-8"))
    _, *rows = _table(tree, "Runs by accuracy")
    parts = {e.attrib["id"]: e for e in tree.iter() if e.attrib.get("id", "").startswith("run-")}
    assert len(parts) == len(rows) == count
    for row in rows:
        (link,) = row[0].iter("a")
        part = parts[link.attrib["href"][1:]]
        # The id of the run is in the last column, and in the facts on it.
        assert _text(row[-1]) in texts(part, "dd")
        # A link into what is folded unfolds it; one to the element that folds would not.
        assert part.tag == ("section" if count == 2 else "div")


@pytest.mark.parametrize("count", [2, 5])
def test_runs_with_several_classes_have_mean_curves(
    count: int, runforge: Call, tmp_path: Path
) -> None:
    store, ids = StoreLayout(tmp_path), []
    for strength in STRENGTHS[:count]:
        request = new_request(
            dataset=ROOT / "examples/penguins.csv",
            label_column="species",
            exclude_columns=TEXTS,
            store=store,
            created_by="tests@1",
            hyperparameters={"C": strength},
        )
        ids.append(Path(execute(request, store).run_dir).name)
    target = tmp_path / "out.html"
    result = runforge("report", *ids, "--workspace", str(tmp_path), "-o", str(target))
    assert result.code == 0, result.err
    tree = check_harmless(target.read_text("utf-8"))
    (figure,) = [
        e
        for e in tree.iter("figure")
        if texts(e, "strong")[0] == "ROC curve of each of 3 classes against the rest, averaged"
    ]
    assert len(next(iter(figure.iter("tbody")))) == count


def test_a_parameter_that_varies_is_drawn(report: Any) -> None:
    tree = check_harmless(report(12, "--no-model").read_text("utf-8"))
    (plot,) = [e for e in tree.iter() if e.attrib.get("class") == "plot"]
    labels = [_text(e) for e in plot.iter() if local(e.tag) == "text"]
    assert "C (logarithmic)" in labels
    dots = [e for e in plot.iter() if local(e.tag) == "circle"]
    assert len(dots) == len(STRENGTHS)


def test_equal_values_are_called_equal_and_a_repeat_is_no_other_seed(
    runforge: Call, workspace: Path
) -> None:
    rows = [f"{'a' if number < 20 else 'b'},{number + 60 * (number >= 20)}" for number in range(40)]
    Path("rows.csv").write_text("\n".join(["y,x", *rows]) + "\n", "utf-8")
    for value in (1, 1, 2, 3, 4):
        assert runforge("train", "rows.csv", "--label", "y", "--param", f"C={value}").code == 0
    ids = [path.name for path in sorted((workspace / ".runforge/runs").iterdir())]
    assert runforge("report", *ids, "-o", "out.md", "--no-model").code == 0
    text = Path("out.md").read_text("utf-8")
    assert "The mean accuracy is 1.0000 at all 4 values of C." in text
    assert "Spread over the seeds" not in text


def test_markdown_has_the_same_rows(report: Any) -> None:
    text = report(suffix=".md").read_text("utf-8")
    check_plain_markdown(text)
    (table,) = re.findall(r"\*\*Runs by accuracy.*?\n\n((?:\|.*\n)+)", text)
    rows = table.splitlines()[2:]
    assert len(rows) == 15
    assert "**1.0000**" in rows[0]
    assert text.count("B–L, each: ") == 1


def test_a_handful_keeps_its_columns(report: Any) -> None:
    tree = check_harmless(report(3).read_text("utf-8"))
    header, *_ = _table(tree, "Metrics on the validation rows")
    assert [_text(cell) for cell in header] == ["Metric", "A", "B", "C"]
    assert not [e for e in tree.iter("figure") if e.attrib.get("class") == "multiples"]
    assert [text[:5] for text in texts(tree, "h2")][-3:] == ["Run A", "Run B", "Run C"]
    assert len(_table(tree, "Runs by accuracy")) == 4


def test_more_runs_than_are_described_in_detail(
    runforge: Call, many: tuple[Path, list[str]], tmp_path: Path
) -> None:
    original, ids = many
    workspace = tmp_path / "copy"
    shutil.copytree(original, workspace)
    runs = workspace / ".runforge/runs"
    for at in range(12):
        # Other folders with the same documents are runs of another client.
        shutil.copytree(
            runs / ids[0], tmp_path / f"other/.runforge/runs/20260101-0000{at:02d}-abcd"
        )
    folders = [str(runs / run_id) for run_id in ids]
    folders += sorted(map(str, (tmp_path / "other/.runforge/runs").iterdir()))
    target = tmp_path / "out.html"
    result = runforge(
        "report", *folders, "--workspace", str(workspace), "-o", str(target), "--no-model"
    )
    assert result.code == 0, result.err
    tree = check_harmless(target.read_text("utf-8"))
    assert len(_table(tree, "Runs by accuracy")) == 1 + 27
    (matrices,) = [e for e in tree.iter("figure") if e.attrib.get("class") == "multiples"]
    assert len([e for e in matrices.iter() if e.attrib.get("role") == "img"]) == 24
    assert "The first 24 of 26 runs are drawn" in " ".join(texts(matrices, "p"))
    assert not list(tree.iter("h3"))
    assert any("runforge report " in text for text in texts(tree, "pre"))


#: Measures a page in a frame: what sticks out of it, and boxes that hide a part of their content.
_MEASURE = """
const page = document.querySelector('iframe').contentDocument, wide = page.documentElement;
const width = wide.clientWidth, found = {width, page: wide.scrollWidth, out: [], hidden: [],
  unmarked: [], boxes: 0};
const name = e => e.tagName + '.' + (e.getAttribute('class') || '') + ' ' +
  e.textContent.trim().slice(0, 40);
for (const e of page.querySelectorAll('body *')) {
  if (e.closest('details:not([open]) > :not(summary)')) continue;
  const style = page.defaultView.getComputedStyle(e);
  if (!e.closest('.scroll, pre, svg') && e.getBoundingClientRect().right > width + 0.5)
    found.out.push(name(e));
  if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && style.overflowX !== 'visible') {
    if (style.overflowX !== 'auto') found.hidden.push(name(e));
    else if (e.tagName !== 'PRE') {
      found.boxes += 1;
      const first = e.querySelector('tbody th'), left = e.getBoundingClientRect().left;
      const before = first.getBoundingClientRect().left;
      e.scrollLeft = 60;
      const stays = !first.closest('.wide') ||
        Math.abs(first.getBoundingClientRect().left - before) < 2;
      if (!stays || !style.backgroundImage.includes('gradient')) found.unmarked.push(name(e));
    }
  }
}
document.body.textContent = JSON.stringify(found);
"""


def _measured(page: Path, width: int, folder: Path) -> dict[str, Any]:
    """Return the measures of a page in a frame of so many pixels, in a real browser."""
    source = html.escape(page.read_text("utf-8"))
    outside = folder / f"frame-{width}.html"
    outside.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><body><iframe width="{width}" height="800"'
        f' style="border:0" srcdoc="{source}"></iframe>'
        f"<script>addEventListener('load', () => {{ {_MEASURE} }})</script>",
        "utf-8",
    )
    browser = next(filter(shutil.which, BROWSERS))
    command = [browser, *HEADLESS, f"--user-data-dir={folder / 'profile'}"]
    shown = subprocess.run(
        [*command, "--window-size=1600,900", "--dump-dom", outside.as_uri()],
        capture_output=True,
        check=True,
    )
    (found,) = re.findall(r"<body>(\{.*\})</body>", shown.stdout.decode(), re.DOTALL)
    measures: dict[str, Any] = json.loads(html.unescape(found))
    return measures


@pytest.mark.slow
@pytest.mark.needs(*BROWSERS)
@pytest.mark.parametrize("width", [380, 960, 1400])
def test_nothing_sticks_out_of_a_page(width: int, report: Any, tmp_path: Path) -> None:
    found = _measured(report(), width, tmp_path)
    assert found["page"] <= found["width"] <= width
    assert found["out"] == []
    assert found["hidden"] == []
    assert found["unmarked"] == []
    # The table of runs scrolls in its own box on a narrow screen.
    assert width > 380 or found["boxes"] >= 1


@pytest.mark.slow
@pytest.mark.needs(*BROWSERS)
def test_the_measure_finds_what_sticks_out(report: Any, tmp_path: Path) -> None:
    page = report(2, "--no-model")
    text = page.read_text("utf-8")
    wide = '<div class="clipped"><svg width="900" height="9"></svg></div>'
    page.write_text(text.replace("<main>", f"<main>{wide}"), "utf-8")
    found = _measured(page, 380, tmp_path)
    assert found["page"] > found["width"]
