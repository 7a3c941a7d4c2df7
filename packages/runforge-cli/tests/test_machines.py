"""Compare runs of other machines, independent of this one: no name is cut."""

from __future__ import annotations

import json
import re
import shutil
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, Call
from runforge_cli.render.differences import comparison_lines
from runforge_cli.render.reproduction_view import reproduction_lines
from runforge_cli.terminal.text_layout import beside, pairs, table, within
from runforge_contracts.comparison import compare_runs
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate
from runforge_engine.reproduction.artifact_comparison import ArtifactComparison, ComparedArtifact
from runforge_engine.reproduction.environment_check import environment_differences
from runforge_engine.reproduction.reproduction_report import Reproduction
from syrupy.assertion import SnapshotAssertion

#: ``provenance`` as such machines record it.
MACHINES: dict[str, Any] = json.loads((Path(__file__).parent / "machines.json").read_bytes())
VECTOR = next((ROOT / "docs/test-vectors/runs/v0.4.0/.runforge/runs").glob("20260223*"))
PAIRS = list(permutations(MACHINES, 2))
#: Fields on kernels and threads, on versions, on the machine, and other fields.
KINDS = (
    r"numerics\.(blas\..*\.(architecture|threads)|simd|threads)",
    r"python\..*|packages\..*|numerics\.blas\..*",
    r"platform\..*|numerics\.pinned",
    r"numerics\.environment\..*",
)


def reproduction(recorded: str, here: str) -> dict[str, Any]:
    """Return the report on a run that was repeated on another machine, with another outcome."""
    environment = environment_differences(MACHINES[recorded], MACHINES[here])
    report = Reproduction(VECTOR.name, "2026-02-01T12:00:00Z", "0.4.0", environment=environment)
    model = ComparedArtifact("artifacts/model.pkl", "0" * 64, "0" * 64, "1" * 64)
    report.comparison = ArtifactComparison([model], agrees=False)
    document = report.to_dict()
    validate(document, "reproduction.v1")
    return document


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Return copies of one run, as if each had been made by another machine."""
    store = tmp_path_factory.mktemp("machines") / ".runforge/runs"
    for number, provenance in enumerate(MACHINES.values()):
        folder = store / f"20260223-10000{number}-{number:08x}"
        shutil.copytree(VECTOR, folder)
        run = json.loads((folder / "run.json").read_bytes())
        run["provenance"] = provenance
        run["artifact_digests"]["artifacts/model.pkl"]["sha256"] = f"{number:064x}"
        (folder / "run.json").write_text(json.dumps(run), "utf-8")
    folders = map(Run, sorted(store.iterdir()))
    return dict(zip(MACHINES, folders, strict=True))


def squeezed(text: str) -> str:
    """Return a string without layout characters."""
    return re.sub(r"\s+", "", text)


def names_in(lines: list[str]) -> str:
    """Return what stands in the first column, over all lines."""
    return squeezed("".join(line.strip().split("  ")[0] for line in lines))


@pytest.mark.parametrize(
    "names",
    [
        *(("haswell", name) for name in MACHINES if name != "haswell"),
        ("sapphire rapids", "sapphire rapids, another kernel"),
    ],
    ids=" and ".join,
)
def test_what_explains_the_difference_comes_first(
    names: tuple[str, str], snapshot: SnapshotAssertion
) -> None:
    with within(80):
        assert "\n".join(reproduction_lines(reproduction(*names))) == snapshot


@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_reasons_are_ordered_by_what_they_explain(names: tuple[str, str]) -> None:
    reasons = [reason["field"] for reason in reproduction(*names)["reasons"]]
    kinds = [
        next(number for number, kind in enumerate(KINDS) if re.fullmatch(kind, name))
        for name in reasons
    ]
    assert reasons
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("columns", [40, 60, 80, 132])
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_no_name_of_a_reason_is_cut(names: tuple[str, str], columns: int) -> None:
    report = reproduction(*names)
    with within(columns):
        lines = list(reproduction_lines(report))
    assert max(map(len, lines)) <= columns
    shown = squeezed("".join(lines))
    for reason in report["reasons"][:12]:
        assert reason["field"] in names_in(lines)
        for side in ("recorded", "here"):
            words = str(reason.get(side, "")).lower().split()
            assert all(word in shown.lower() for word in words if len(word) <= 12)


@pytest.mark.parametrize("columns", [40, 60, 80, 132])
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_no_name_in_a_comparison_is_cut(
    names: tuple[str, str], columns: int, runs: dict[str, Run]
) -> None:
    folders = [runs[name] for name in names]
    comparison = compare_runs(folders, StoreLayout(folders[0].path.parents[2]))
    validate(comparison, "comparison.v1")
    differing = [f["name"] for f in comparison["environment"] if f["agreement"] == "different"]
    kinds = [
        next((number for number, kind in enumerate(KINDS) if re.fullmatch(kind, name)), 4)
        for name in differing
    ]
    assert kinds == sorted(kinds)
    with within(columns):
        lines = list(comparison_lines(comparison))
    assert max(map(len, lines)) <= columns
    assert all(name in names_in(lines) for name in differing)


def test_a_comparison_of_all_machines_is_shown(
    runforge: Call, runs: dict[str, Run], snapshot: SnapshotAssertion
) -> None:
    result = runforge("diff", *(str(folder.path) for folder in runs.values()))
    assert result.code == 0
    environment = result.out.split("\nEnvironment\n")[1].split("\n\n")[0]
    assert environment == snapshot


LONG = "features.of_the_third_kind/with-many-words.and_a_number_17"


@pytest.mark.parametrize("columns", [40, 50, 60, 70, 80])
@pytest.mark.parametrize("name", [LONG, LONG.translate(str.maketrans("._/-", "xxxx")), "特徴" * 30])
def test_a_long_name_goes_on_in_the_next_line(name: str, columns: int) -> None:
    rows = [(name, "0.1234", "5.6789"), ("short", "1", "2")]
    with within(columns):
        for lines in (
            table(("", "one", "two"), rows, flexible=0, indent=2),
            beside(("", "one", "two"), rows),
            pairs((name, value) for name, value, _ in rows),
        ):
            assert name in names_in(lines)
            assert "…" not in "".join(lines)
            assert "0.1234" in "".join(lines)
