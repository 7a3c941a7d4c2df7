"""``runforge report``: what is in it, that it is well-formed, and that no name can harm it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsers import BROWSERS, HEADLESS
from calls import ROOT, TRAIN, Call
from hypothesis import given, settings
from hypothesis import strategies as st
from page_rules import check_harmless, check_plain_markdown, local, parsed, texts
from real_store import start, training
from runforge_cli.report.html_page import html_page
from runforge_cli.report.markdown_page import markdown_page
from runforge_cli.report.report_blocks import (
    Bars,
    Cell,
    Commands,
    Facts,
    HeatCell,
    HeatMap,
    IntervalRow,
    Intervals,
    Matrix,
    Multiples,
    Name,
    Paragraph,
    Plot,
    Report,
    Section,
    Series,
    SmallMatrix,
    SmallPlot,
    TableBlock,
    prose,
)
from runforge_cli.report.scales import UNIT
from syrupy.assertion import SnapshotAssertion

VECTORS = ROOT / "docs/test-vectors/runs"
HOSTILE = (
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=document.title='owned'>",
    "</style></title></textarea><svg onload=alert(1)>",
    "\x1b]0;owned\x07\x1b[31m\u202egnp.exe",
    "a|b`c\n# heading\n\n- item\n```\n<b>",
    "[x](javascript:alert(1)) ![y](http://example.org/z.png) www.example.org <http://e.org>",
    "``| \\| &lt;b&gt; &#x3C; $\\href{x}{y}$ @someone #1 ~~s~~",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Return a workspace with real runs, and their ids by what is special about them."""
    workspace = tmp_path_factory.mktemp("report")
    runs = workspace / ".runforge/runs"
    shutil.copyfile(ROOT / "examples/penguins.csv", workspace / "penguins.csv")
    penguins = (workspace / "penguins.csv").read_text("utf-8").splitlines()
    two = [line for line in penguins if not line.startswith("Gentoo")]
    (workspace / "two.csv").write_text("\n".join(two) + "\n", "utf-8")
    names = [f'"{name}"' for name in map(_quoted, HOSTILE[:5])]
    labels = [f'"{_quoted(HOSTILE[5])}"', f'"{_quoted(HOSTILE[6])}"']
    rows = [f"{i % 7},{i % 5},{i % 3},{i % 11},{i * i % 13},{labels[i % 7 > 2]}" for i in range(80)]
    header = ",".join([*names, '"<i>label"'])
    (workspace / "hostile.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")

    def train(*arguments: str, code: int = 0) -> str:
        before = set(runs.glob("*"))
        assert start(workspace, *arguments).wait() == code
        return next(iter(set(runs.glob("*")) - before)).name

    binary = ("train", "two.csv", *TRAIN[2:])
    reported = [part for text in HOSTILE for part in ("--tag", text)]
    found = {
        "multiclass": train(*TRAIN, "--model", "random_forest", "--preset", "fast"),
        "binary": train(*binary, "--name", "two species", "--notes", "one line\nanother line"),
        "forest": train(*binary, "--model", "random_forest", "--preset", "fast"),
        "svc": train(*binary, "--model", "linear_svc"),
        "hostile": train(
            "train",
            "hostile.csv",
            "--label",
            "<i>label",
            "--name",
            HOSTILE[0],
            "--notes",
            "\n".join(HOSTILE),
            *reported,
        ),
        "failed": train("train", "penguins.csv", "--label", "species", code=1),
    }
    with training(workspace) as (process, folder):
        process.terminate()
        assert process.wait() == 5
    return workspace, {**found, "cancelled": folder.name}


def _quoted(text: str) -> str:
    return text.replace('"', '""')


@pytest.fixture
def report(runforge: Call, store: tuple[Path, dict[str, str]], tmp_path: Path) -> Any:
    """Return a function that writes a report on the named runs and returns its text."""
    workspace, ids = store

    def write(*names: str, suffix: str = ".html", options: tuple[str, ...] = ()) -> str:
        target = tmp_path / f"out{suffix}"
        result = runforge(
            "report",
            *(ids[name] for name in names),
            *("--workspace", str(workspace), "-o", str(target), "--force"),
            *options,
        )
        assert result.code == 0, result.err
        return target.read_text("utf-8")

    return write


def test_a_run_of_two_classes_has_everything(report: Any) -> None:
    tree = check_harmless(report("binary"))
    assert texts(tree, "h2") == [
        "Outcome",
        "Data",
        "Configuration",
        "Metrics",
        "Curves",
        "Feature weights",
        "Diagnostics",
        "Provenance",
        "How to reproduce",
    ]
    (h1,) = texts(tree, "h1")
    assert h1.startswith("Run ")
    plots = [e for e in tree.iter() if e.attrib.get("role") == "img"]
    assert len(plots) == 3
    identities = {e.attrib["id"]: e for e in tree.iter() if "id" in e.attrib}
    for plot in plots:
        title, description = plot.attrib["aria-labelledby"].split()
        assert identities[title].text
        assert len(identities[description].text) > 40
    # Each plot has a table that says the same, and each drawing beside a table is hidden.
    assert len(list(tree.iter("details"))) == 3
    facts = dict(zip(texts(tree, "dt"), texts(tree, "dd"), strict=True))
    assert facts["Name"] == "two species"
    assert facts["Label"] == "species"
    assert [p for p in texts(tree, "p") if p in ("one line", "another line")]
    rows = texts(tree, "tr")
    assert "Cmodel default" in "".join(row.replace("1.0", "") for row in rows)
    assert any("standardized" in p and "Chinstrap" in p for p in texts(tree, "p"))
    (commands,) = texts(tree, "pre")
    assert "runforge reproduce " in commands


@pytest.mark.parametrize(
    ("name", "plots"), [("multiclass", 3), ("forest", 3), ("svc", 2), ("binary", 3)]
)
def test_every_family_has_its_curves(name: str, plots: int, report: Any) -> None:
    tree = check_harmless(report(name))
    assert len([e for e in tree.iter() if e.attrib.get("role") == "img"]) == plots
    # A support vector classifier gives no probabilities to calibrate.
    assert any("Calibration" in text for text in texts(tree, "strong")) == (name != "svc")


def test_curves_agree_with_the_record(report: Any, store: tuple[Path, dict[str, str]]) -> None:
    workspace, ids = store
    folder = workspace / ".runforge/runs" / ids["forest"]
    recorded = json.loads((folder / "metrics.v1.json").read_bytes())
    tree = parsed(report("forest"))
    assert f"area {recorded['roc_auc']:.4f}" in " ".join(texts(tree, "li"))


@pytest.mark.parametrize("name", ["failed", "cancelled"])
def test_a_run_without_results_says_why(name: str, report: Any) -> None:
    tree = check_harmless(report(name))
    headings = texts(tree, "h2")
    assert "Metrics" not in headings
    assert "Curves" not in headings
    assert "runforge rerun " in texts(tree, "pre")[0]
    reported = " ".join(texts(tree, "p"))
    assert ("FEATURE_NOT_NUMERIC" if name == "failed" else "CANCELLED") in reported
    check_plain_markdown(report(name, suffix=".md"))


@pytest.mark.parametrize("version", ["v0.2.2.1", "v0.3.3", "v0.3.6"])
def test_older_runs_have_what_they_recorded(version: str, runforge: Call, workspace: Path) -> None:
    folder = next((VECTORS / version).glob(".runforge/runs/2*"))
    result = runforge("report", str(folder), "-o", "old.html")
    assert result.code == 0
    assert "The report has no curves" in result.err
    tree = check_harmless((workspace / "old.html").read_text("utf-8"))
    assert any("This report has no curves" in text for text in texts(tree, "p"))
    assert "Metrics" in texts(tree, "h2")


def test_several_runs_are_compared(report: Any) -> None:
    tree = check_harmless(report("binary", "forest", "svc"))
    headings = texts(tree, "h2")
    assert headings[:4] == [
        "Runs",
        "Summary of the differences",
        "Metrics compared",
        "Curves compared",
    ]
    assert [text[:5] for text in headings if text.startswith("Run ")] == ["Run A", "Run B", "Run C"]
    assert texts(tree, "h3").count("Provenance") == 3
    # Three lines in each of the two plots of all runs; only two runs give probabilities.
    first, second, third = [e for e in tree.iter() if e.attrib.get("role") == "img"][:3]
    for plot, lines in ((first, 3), (second, 3), (third, 2)):
        assert len([e for e in plot.iter() if local(e.tag) == "path"]) == lines


def test_runs_of_every_end_are_compared(report: Any) -> None:
    check_harmless(report("multiclass", "failed", "cancelled", "binary", "hostile"))
    check_plain_markdown(report("multiclass", "failed", "cancelled", "hostile", suffix=".md"))


def test_hostile_names_are_text_in_html(report: Any) -> None:
    for names in (("hostile",), ("hostile", "forest")):
        tree = check_harmless(report(*names))
        shown = " ".join(tree.itertext())
        assert "<script>document.title='owned'</script>" in shown
        assert "\\x1b]0;owned\\x07" in shown
        assert "\\u202e" in shown


def test_hostile_names_are_text_in_markdown(report: Any) -> None:
    text = report("hostile", suffix=".md")
    tokens = check_plain_markdown(text)
    headings = [
        tokens[index + 1].content
        for index, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    assert headings[1:5] == ["Outcome", "Data", "Configuration", "Metrics"]
    assert len(headings) == 10
    spans = {token.content for token in tokens if token.type == "code_inline"}
    assert HOSTILE[0] in spans
    assert HOSTILE[1] in spans
    assert [len(row) for row in _rows(tokens)] != []


def _rows(tokens: list[Any]) -> list[list[Any]]:
    """Return the cells of every row; those of one table must be as many."""
    rows: list[list[Any]] = []
    columns = 0
    for token in tokens:
        if token.type == "thead_open":
            columns = 0
        elif token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(token)
        elif token.type == "tr_close":
            columns = columns or len(rows[-1])
            assert len(rows[-1]) == columns
    return rows


def a_report(text: str) -> Report:
    """Return a report that has ``text`` in every field that can hold it."""
    cells = [
        ([Name(text)], text),
        (text, Cell([Name(text)], "best")),
        (text, Cell(text, "changed")),
    ]
    table = TableBlock(text, (text, text), cells, frozenset({1}))
    series = Series([Name(text)], (0.0, 1.0), (0.0, 1.0), text, dots=(1.0, 0.5))
    return Report(
        title=text,
        lead=[text, Name(text)],
        sections=[
            Section(
                text,
                [
                    Paragraph(text, "note"),
                    Paragraph(prose(text)),
                    Facts([(text, [Name(text)]), (text, text)]),
                    table,
                    Bars(text, (text, text), [(text, 1.0), (text, -2.0)]),
                    Matrix([text, text], [[1, 2], [3, 4]]),
                    HeatMap(text, (text, text), [text], [text], [[HeatCell(text, 1.0, True)]]),
                    Intervals(text, (text, text), [IntervalRow(text, (0.5,), 0.5, 0.1)], UNIT),
                    Plot(text, text, text, text, [series], table, diagonal=True),
                    Multiples(
                        text,
                        text,
                        [
                            SmallPlot([Name(text)], text, text, series, series),
                            SmallMatrix(text, text, text, [[1, 2], [3, 4]]),
                        ],
                        table,
                        diagonal=True,
                    ),
                    Commands([text]),
                ],
                [Section(text, [Paragraph(text)], folded=True)],
            )
        ],
        footer=text,
    )


ALPHABET = st.sampled_from("<>\"'&`|\\*_[]()#!-+=~@:/.$ \n\t\r\x00\x1b\u202e\u2028aA1wé猫")


TEXTS = st.one_of(st.text(ALPHABET, min_size=1, max_size=24), st.sampled_from(HOSTILE))


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_no_text_can_break_out_of_the_page(text: str) -> None:
    check_harmless_structure(html_page(a_report(text)))


@settings(deadline=None, max_examples=50)
@given(TEXTS.filter(lambda text: text.strip() != ""))
def test_no_text_can_break_out_of_markdown(text: str) -> None:
    within = {"text", "code_inline", "text_special", "inline"}

    def shape(word: str) -> list[str]:
        tokens = check_plain_markdown(markdown_page(a_report(word)))
        return [token.type for token in tokens if token.type not in within]

    assert shape(text) == shape("word")


def check_harmless_structure(page: str) -> None:
    """Check a page against one with an innocent text: the same elements, in the same order."""
    innocent = [(e.tag, sorted(e.attrib)) for e in parsed(html_page(a_report("word"))).iter()]
    found = [(e.tag, sorted(e.attrib)) for e in parsed(page).iter()]
    # A sentence may have names between backticks, and a name places to break it.
    variable = (("code", []), ("wbr", []))
    assert [e for e in found if e not in variable] == [e for e in innocent if e not in variable]


def test_a_name_is_itself_in_a_code_span() -> None:
    for text in ("a`b", "``", "`", " a ", "a|b", "\\|", "*a*", "<b>", "&amp;"):
        tokens = check_plain_markdown(
            markdown_page(
                Report("t", [Name(text)], [Section("s", [Facts([("f", [Name(text)])])])], "f")
            )
        )
        assert [t.content for t in tokens if t.type == "code_inline"] == [text, text]


@pytest.mark.slow
def test_a_report_is_the_same_whenever_it_is_written(
    report: Any, store: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    workspace, ids = store
    names = ("binary", "forest", "multiclass")
    first = report(*names)
    assert report(*names) == first
    target = tmp_path / "again.html"
    subprocess.run(
        [
            *(sys.executable, "-m", "runforge_cli", "report", *(ids[name] for name in names)),
            *("--workspace", str(workspace), "-o", str(target)),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )
    assert target.read_text("utf-8") == first


def test_the_model_is_left_alone_when_asked(report: Any) -> None:
    page = report("binary", options=("--no-model",))
    tree = check_harmless(page)
    assert not [e for e in tree.iter() if e.attrib.get("role") == "img"]
    assert any("--no-model" in text for text in texts(tree, "p"))


def _changed(workspace: Path, run: Path, what: str) -> str:
    """Spoil something that the curves need, and return what the report says of it."""
    if what == "dataset changed":
        with (workspace / "two.csv").open("a", encoding="utf-8") as file:
            file.write("Adelie,Torgersen,39.1,18.7,181,3750,male,2007\n")
        return "was changed"
    if what == "dataset gone":
        (workspace / "two.csv").unlink()
        return "There is no dataset"
    if what == "model changed":
        model = run / "artifacts/model.pkl"
        model.write_bytes(model.read_bytes() + b"\0")
        return "its digest is another"
    if what == "model gone":
        (run / "artifacts/model.pkl").unlink()
        return "There is no file"
    if what == "hostile model":
        return _hostile_model(workspace, run)
    metrics = json.loads((run / "metrics.v1.json").read_bytes())
    metrics["confusion_matrix"][0][0] += 1
    (run / "metrics.v1.json").write_text(json.dumps(metrics), "utf-8")
    return "predicts otherwise"


def _hostile_model(workspace: Path, run: Path) -> str:
    """Put a model that runs a command in its place, with its digest in every record."""
    import pickle

    class Command:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {workspace / 'owned'}",)

    data = pickle.dumps(Command(), protocol=4)
    (run / "artifacts/model.pkl").write_bytes(data)
    old = json.loads((run / "run.json").read_bytes())["artifact_digests"]["artifacts/model.pkl"]
    for file in (run / "run.json", run / "manifest.json", workspace / ".runforge/index.json"):
        text = file.read_text("utf-8")
        file.write_text(text.replace(old["sha256"], hashlib.sha256(data).hexdigest()), "utf-8")
    return "is not loaded"


@pytest.mark.parametrize(
    "what",
    [
        "dataset changed",
        "dataset gone",
        "model changed",
        "model gone",
        "hostile model",
        "other predictions",
    ],
)
def test_missing_curves_are_explained(
    what: str, store: tuple[Path, dict[str, str]], runforge: Call, tmp_path: Path
) -> None:
    original, ids = store
    workspace = tmp_path / "copy"
    shutil.copytree(original, workspace)
    reason = _changed(workspace, workspace / ".runforge/runs" / ids["binary"], what)
    target = tmp_path / "out.html"
    arguments = ("report", ids["binary"], "--workspace", str(workspace), "-o", str(target))
    result = runforge(*arguments, "--json")
    assert result.code == 0, result.err
    assert reason in result.json["without_curves"][ids["binary"]]
    tree = check_harmless(target.read_text("utf-8"))
    assert any(reason in text for text in texts(tree, "p"))
    assert not [e for e in tree.iter() if e.attrib.get("role") == "img"]
    assert not (workspace / "owned").exists()
    assert "Metrics" in texts(tree, "h2")


def test_where_a_report_is_written(
    runforge: Call, store: tuple[Path, dict[str, str]], workspace: Path
) -> None:
    root, ids = store
    there = ("--workspace", str(root), "--no-model")
    run_id = ids["binary"]
    assert runforge("report", run_id, *there).out == f"Report written to `{run_id}.html`\n"
    page = workspace / f"{run_id}.html"
    again = runforge("report", run_id, *there, "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert "--force" in again.json["error"]["hint"]
    page.write_text("mine", "utf-8")
    assert runforge("report", run_id, *there).code == 2
    assert page.read_text("utf-8") == "mine"
    document = runforge("report", run_id, *there, "--force", "--json").json
    assert (document["path"], document["runs"]) == (f"{run_id}.html", [run_id])
    assert "--no-model" in document["without_curves"][run_id]
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert not list(workspace.glob(".*tmp"))
    two = runforge("report", run_id, ids["svc"], *there)
    assert f"{run_id}-and-{ids['svc']}.html" in two.out
    three = runforge("report", run_id, ids["svc"], ids["forest"], *there)
    assert f"{run_id}-and-2-more.html" in three.out


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("{root}/.runforge/runs/{run}/report.html", "USAGE_INVALID"),
        ("{root}/.runforge/runs/{run}/artifacts/report.html", "USAGE_INVALID"),
        ("{root}/.runforge/report.html", "USAGE_INVALID"),
        ("link/report.html", "USAGE_INVALID"),
        ("report.pdf", "USAGE_INVALID"),
        ("report", "USAGE_INVALID"),
        ("missing/report.html", "FILE_NOT_FOUND"),
        ("linked.html", "USAGE_INVALID"),
        ("folder.html", "USAGE_INVALID"),
    ],
)
def test_where_a_report_is_not_written(
    target: str,
    code: str,
    runforge: Call,
    store: tuple[Path, dict[str, str]],
    workspace: Path,
) -> None:
    root, ids = store
    (workspace / "link").symlink_to(root / ".runforge/runs" / ids["binary"])
    (workspace / "linked.html").symlink_to(workspace / "elsewhere.html")
    (workspace / "folder.html").mkdir()
    path = target.format(root=root, run=ids["binary"])
    before = sorted((root / ".runforge").rglob("*"))
    result = runforge(
        "report", ids["binary"], "--workspace", str(root), "-o", path, "--force", "--json"
    )
    assert result.json["error"]["code"] == code
    assert sorted((root / ".runforge").rglob("*")) == before
    assert not (workspace / "elsewhere.html").exists()


@pytest.mark.parametrize("run", ["20260223*", "20260225*", "20260301*"])
def test_markdown_of_recorded_runs(
    run: str, runforge: Call, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    root = VECTORS / "v0.4.0"
    run_id = next((root / ".runforge/runs").glob(run)).name
    options = ("--no-model", "--workspace", str(root), "-o", "out.md")
    assert runforge("report", run_id, *options).code == 0
    text = (workspace / "out.md").read_text("utf-8")
    check_plain_markdown(text)
    assert text == snapshot


def test_markdown_of_a_comparison(
    runforge: Call, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    root = VECTORS / "v0.4.0"
    ids = sorted(path.name for path in (root / ".runforge/runs").iterdir())
    options = ("--no-model", "--workspace", str(root), "-o", "out.md")
    assert runforge("report", ids[0], ids[1], ids[3], *options).code == 0
    text = (workspace / "out.md").read_text("utf-8")
    check_plain_markdown(text)
    assert text == snapshot


@pytest.mark.slow
@pytest.mark.needs(*BROWSERS)
def test_a_browser_shows_hostile_names_and_runs_nothing(report: Any, tmp_path: Path) -> None:
    report("hostile", "binary")
    page, picture = tmp_path / "out.html", tmp_path / "out.png"

    browser = next(filter(shutil.which, BROWSERS))

    def browse(*options: str) -> str:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [browser, *HEADLESS, profile, *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, check=True).stdout.decode()

    dom = browse("--dump-dom")
    assert "<title>Comparison of runs</title>" in dom
    assert "<img" not in dom
    assert "&lt;script&gt;document.title='owned'&lt;/script&gt;" in dom.replace("<wbr>", "")
    browse(f"--screenshot={picture}", "--window-size=360,800")
    assert picture.read_bytes().startswith(b"\x89PNG")
