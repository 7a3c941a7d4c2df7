"""Pictures of compared runs: a metric against a parameter, parallel coordinates, curves."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from web_client import Server, serving
from web_pages import check_page, runs_in

GRID = ("--grid", "C=0.01,1,100", "--grid", "seed=1,2")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the server of a workspace with a sweep of six runs, and a run of another family."""
    workspace = tmp_path_factory.mktemp("compared")
    rows = [f"{number % 7},{number % 5},{'yes' if number % 2 else 'no'}" for number in range(80)]
    (workspace / "data.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")
    data = ("data.csv", "--label", "label")
    for command in (
        ("sweep", *data, *GRID, "--model", "logistic_regression"),
        ("train", *data, "--model", "linear_svc", "--name", "margins-first"),
    ):
        subprocess.run(
            [sys.executable, "-m", "runforge_cli", *command],
            cwd=workspace,
            check=True,
            capture_output=True,
        )
    with serving(workspace) as server:
        yield server


def address(server: Server, more: str = "") -> str:
    """Return the address of the comparison of all runs, the newest first."""
    names = [name.rpartition("/")[2] for name in runs_in(server.ask("/runs").text)]
    assert len(names) == 7
    return "/compare?" + "&".join(f"run={name}" for name in names) + more


def section(page: str, title: str) -> str:
    """Return the section with a title."""
    found = re.search(rf"<h2 [^>]*>{title}</h2>(.*?)</section>", page, re.DOTALL)
    assert found is not None, title
    return found[1]


def pictures(part: str) -> list[ElementTree.Element]:
    """Return the pictures of a section that have a description."""
    found = re.findall(r'<svg [^>]*role="img".*?</svg>', part, re.DOTALL)
    return [ElementTree.fromstring(text) for text in found]


def test_a_metric_is_drawn_against_a_parameter(sweep: Server) -> None:
    page = sweep.ask(address(sweep)).text
    check_page(page)
    part = section(page, "Metric against parameter")
    [plot] = pictures(part)
    assert plot.findtext("title") == "accuracy against C"
    assert len(plot.findall("circle")) == 7
    # The same as a table: a row for each run.
    assert part.count('<th scope="row">') == 7
    assert "C (logarithmic)" in {item.text for item in plot.findall("text")}
    titles = re.findall(r"<h2 [^>]*>([^<]+)</h2>", page)
    assert titles[:4] == [
        "Runs",
        "Summary of the differences",
        "Metric against parameter",
        "Parallel coordinates",
    ]


@pytest.mark.parametrize(
    ("x", "y", "title"),
    [
        ("seed", "log_loss", "log_loss against seed"),
        ("model", "f1_macro", "f1_macro against model_family"),
        ("f1_macro", "accuracy", "accuracy against f1_macro"),
        ("accuracy", "accuracy", "accuracy against accuracy"),
    ],
)
def test_the_address_chooses_both_axes(sweep: Server, x: str, y: str, title: str) -> None:
    page = sweep.ask(address(sweep, f"&x={x}&y={y}")).text
    check_page(page)
    heading = "Metric against " + ("parameter" if x in ("seed", "model") else "metric")
    [plot] = pictures(section(page, heading))
    assert plot.findtext("title") == title
    assert f"<option selected>{x}</option>" in page
    assert f"<option selected>{y}</option>" in page


def test_an_axis_that_the_runs_lack_is_an_error_that_names_the_others(sweep: Server) -> None:
    answer = sweep.ask(address(sweep, "&x=nope%3Cb%3E"))
    assert answer.status == 400
    assert "nope&lt;b&gt;" in answer.text
    assert "<code>seed</code>" in answer.text
    check_page(answer.text)


def test_parallel_coordinates_have_a_line_for_each_run(sweep: Server) -> None:
    part = section(sweep.ask(address(sweep)).text, "Parallel coordinates")
    [plot] = pictures(part)
    lines = plot.findall("path")
    assert len(lines) == 7
    styles = [item.get("class") for item in lines]
    # The baseline comes last, above all others.
    assert styles[-1] == "series s1"
    assert "series pale" in styles
    names = [item.text for item in plot.findall("text") if item.get("class") == "name"]
    assert {"model_family", "C", "seed"} < set(names)
    assert names[-1] == "accuracy"
    told = [item.findtext("title") for item in lines]
    assert all(re.match(r"[A-G]", text or "") for text in told)
    # A linear support vector classifier has no log loss, so its line is interrupted.
    [svc] = [item.get("d") for item in lines if "linear_svc" in (item.findtext("title") or "")]
    assert (svc or "").count("M") > 1
    assert part.count('<th scope="row">') == 7


def test_two_runs_have_the_pictures_too(sweep: Server) -> None:
    names = re.findall(r"run=[^&]+", address(sweep))
    page = sweep.ask(f"/compare?{names[1]}&{names[3]}").text
    check_page(page)
    assert len(pictures(section(page, "Parallel coordinates"))[0].findall("path")) == 2


@pytest.mark.slow
def test_the_curves_of_all_runs_lie_in_one_plot(sweep: Server) -> None:
    page = sweep.ask(address(sweep)).text
    action = re.search(r'action="(/compare/curves[^"]+)"', page)
    assert action is not None
    answer = sweep.post(html.unescape(action[1]))
    assert answer.status == 200
    check_page(answer.text)
    part = section(answer.text, "Curves in one plot")
    titles = [plot.findtext("title") for plot in pictures(part)]
    assert titles[0] == "ROC curve of the class yes"
    [roc, *_] = pictures(part)
    lines = [item.get("class") for item in roc.findall("path")]
    assert sum("pale" not in (style or "") for style in lines) == 4
    # Those with a style of their own are in the legend; the table has all.
    legend = part.partition('<ul class="legend">')[2].partition("</ul>")[0]
    assert legend.count("<li>") == 4
    assert action[1] not in answer.text


def test_the_baseline_is_named_and_can_be_chosen(sweep: Server) -> None:
    first, *_, last = (name.rpartition("/")[2] for name in runs_in(sweep.ask("/runs").text))
    page = sweep.ask(address(sweep)).text
    assert f'The baseline is A: <a href="/runs/{first}">margins-first' in page
    assert f'<option value="{last}">G: {last}</option>' in page
    other = sweep.ask(address(sweep, f"&baseline={last}")).text
    check_page(other)
    assert f'The baseline is A: <a href="/runs/{last}"><code>{last}</code></a>' in other
    assert f'<option value="{first}">B: margins-first, {first}</option>' in other
    # What is chosen on that page keeps the baseline.
    assert re.findall(r'name="run" value="([^"]+)"', other)[0] == last
