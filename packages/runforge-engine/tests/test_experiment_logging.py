"""Logs of training scripts, written with the helper or by hand, and the resulting metrics."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store.experiment_runs import MAX_LINE_BYTES, journal_line
from runforge_engine.experiment import CurrentRun, current_run, read_config
from runforge_engine.experiment.record.metric_log import MAX_POINTS, Journal, Metrics
from runforge_engine.experiment.tracking import MAX_LINE


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CurrentRun:
    """Return the run of this process, whose folder is the test's own."""
    folder = tmp_path / "run-2026-02-01-001"
    folder.mkdir()
    (folder / "config.yaml").write_text("run_id: run-2026-02-01-001\nseed: 1e-4\n")
    for name, path in (
        ("RUN_ID", folder.name),
        ("RUN_DIR", folder),
        ("CONFIG", folder / "config.yaml"),
        ("METRICS", folder / "metrics.jsonl"),
        ("ARTIFACTS", folder / "artifacts"),
    ):
        monkeypatch.setenv(f"RUNFORGE_{name}", str(path))
    return current_run()


def lines(run: CurrentRun) -> list[dict[str, Any]]:
    """Return what was logged; every line is one that the contract knows."""
    assert run.folder is not None
    text = (run.folder / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    assert all(journal_line(number, line).error is None for number, line in enumerate(text, 1))
    return [json.loads(line) for line in text]


def test_metrics_summaries_and_parameters_are_lines_of_the_journal(run: CurrentRun) -> None:
    run.log_metric("loss", 0.5)
    run.log_metric("loss", 0.25, step=10)
    run.log_metrics({"loss": 1, "größe\n": 2.5}, step=1.5)
    run.log_summary("best", 0.25)
    run.log_parameter("layers", [1, {"a": None}])
    run.log_parameters({"path": Path("x"), "flag": True})
    assert lines(run) == [
        {"metric": "loss", "value": 0.5, "step": 1},
        {"metric": "loss", "value": 0.25, "step": 10},
        {"metric": "loss", "value": 1, "step": 1.5},
        {"metric": "größe\n", "value": 2.5, "step": 1.5},
        {"summary": "best", "value": 0.25, "revision": 0},
        {"parameter": "layers", "value": [1, {"a": None}], "revision": 0},
        {"parameter": "path", "value": "x", "revision": 0},
        {"parameter": "flag", "value": True, "revision": 0},
    ]


def test_what_is_given_again_says_so(run: CurrentRun) -> None:
    for value in (0.5, 0.25):
        run.log_metric("loss", value, step=2)
        run.log_summary("best", value)
        run.log_parameter("lr", value)
    run.log_metric("loss", 9, step=1)
    run.log_metric("loss", 8)
    run.log_metric("other", 7)
    assert [line.get("revision") for line in lines(run)] == [None, 0, 0, 1, 1, 1, *3 * [None]]
    assert [line["step"] for line in lines(run) if "metric" in line] == [2, 2, 1, 3, 1]
    journal = amount(*(json.dumps(line).encode() for line in lines(run)))
    assert journal.document["summary"] == {"loss": 8, "best": 0.25, "other": 7}
    assert journal.parameters == {"lr": 0.25}


class Tensor:
    """A single number as torch has it."""

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value


class Index:
    """What stands for an integer and is none."""

    def __index__(self) -> int:
        return 7


def test_numbers_of_other_libraries_are_numbers(run: CurrentRun) -> None:
    values = [
        np.float32(0.5),
        np.int64(2),
        np.array(3.5),
        np.array([4]),
        Decimal("0.25"),
        np.float64(1),
        np.float16(0.5),
        np.longdouble(0.5),
        np.uint8(255),
        Fraction(1, 4),
        True,
        np.bool_(False),
        np.array(True),
        Tensor(0.75),
        Tensor(True),
        Index(),
    ]
    for value in values:
        run.log_metric("x", value, step=np.int32(1))
    run.log_parameter(
        "array",
        {
            "a": np.arange(3),
            "b": np.float32(0.5),
            "c": np.bool_(True),
            "d": Decimal("0.5"),
            "e": Fraction(1, 2),
            "f": {"y", "x"},
            "g": date(2026, 2, 1),
        },
    )
    *points, parameter = lines(run)
    assert json.dumps([point["value"] for point in points]) == json.dumps(
        [0.5, 2, 3.5, 4, 0.25, 1.0, 0.5, 0.5, 255, 0.25, 1, 0, 1, 0.75, 1, 7]
    )
    assert {point["step"] for point in points} == {1}
    assert parameter["value"] == {
        "a": [0, 1, 2],
        "b": 0.5,
        "c": True,
        "d": 0.5,
        "e": 0.5,
        "f": ["x", "y"],
        "g": "2026-02-01",
    }


def test_what_is_not_finite_is_left_out_with_one_warning(run: CurrentRun) -> None:
    with pytest.warns(RuntimeWarning, match="'loss' is not finite") as caught:
        run.log_metric("loss", math.nan)
    for value in (
        *(math.inf, -math.inf, np.float32("nan"), 10**400, Fraction(10**400), Decimal("1e999")),
        *(Decimal("NaN"), Decimal("sNaN"), np.ma.masked, Tensor(math.nan), np.longdouble("1e999")),
    ):
        run.log_metric("loss", value)
    assert caught[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="'lr' is not finite"):
        run.log_parameter("lr", [math.nan])
    with pytest.warns(RuntimeWarning, match="'acc' is not finite"):
        run.log_metrics({"ok": 1, "acc": math.nan})
    assert lines(run) == [{"metric": "ok", "value": 1, "step": 1}]


@pytest.mark.parametrize(
    "value",
    [
        *("0.5", b"1", None, [1], {}, np.arange(2), np.array([]), 1j, np.complex64(1), object()),
        *(np.str_("1"), "x" * 1000, int),
    ],
)
def test_what_is_no_number_is_refused(run: CurrentRun, value: Any) -> None:
    for log in (run.log_metric, run.log_summary):
        with pytest.raises(TypeError, match=r"^'x' is .{1,80}, which is not a number$"):
            log("x", value)


def test_what_nobody_would_read_is_refused(run: CurrentRun) -> None:
    run.log_parameter("p", "x" * (MAX_LINE_BYTES - 50))
    for value in ("x" * MAX_LINE_BYTES, "ü" * (MAX_LINE_BYTES // 2)):
        with pytest.raises(ValueError, match="bytes"):
            run.log_parameters({"small": 1, "p": value})
    with pytest.raises(ValueError, match="bytes"):
        run.log_metric("x" * MAX_LINE_BYTES, 1)
    assert [line["parameter"] for line in lines(run)] == ["p"]
    assert MAX_LINE == MAX_LINE_BYTES


@pytest.mark.parametrize("name", ["", None, 3])
def test_what_is_no_name_is_refused(run: CurrentRun, name: Any) -> None:
    for log in (run.log_metric, run.log_summary, run.log_parameter):
        with pytest.raises(TypeError):
            log(name, 1)


def test_a_name_that_is_no_text_in_utf8_is_refused(run: CurrentRun) -> None:
    with pytest.raises(ValueError):
        run.log_metric("\ud800", 1)
    with pytest.raises(TypeError):
        run.log_parameter("x", object())
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular"):
        run.log_parameter("x", endless)
    assert run.folder is not None
    assert not (run.folder / "metrics.jsonl").exists()


def test_artifacts_are_written_once(run: CurrentRun, tmp_path: Path) -> None:
    (tmp_path / "plot.png").write_bytes(b"png")
    run.log_artifact(tmp_path / "plot.png")
    run.log_artifact(str(tmp_path / "plot.png"), "plots/deep/loss.png")
    run.log_artifact(b"bytes", "data.bin")
    assert {
        str(path.relative_to(run.artifacts)): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in run.artifacts.rglob("*")
        if path.is_file()
    } == {
        "plot.png": (b"png", 0o444),
        "plots/deep/loss.png": (b"png", 0o444),
        "data.bin": (b"bytes", 0o444),
    }
    for again in (b"other", b"bytes"):
        with pytest.raises(FileExistsError):
            run.log_artifact(again, "data.bin")
    with pytest.raises(FileNotFoundError):
        run.log_artifact(tmp_path / "missing")
    with pytest.raises(TypeError):
        run.log_artifact(b"bytes")
    assert sorted(path.name for path in run.artifacts.iterdir()) == [
        "data.bin",
        "plot.png",
        "plots",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "/x", "../x", "a/../x", "a//b", "a/", "a\\b", "C:/x", "a\0b", "./x"),
        *("a\nb", "\x1b[31m", "\udcff"),  # no manifest can hold them
        *("aux.png", "plots/CON", "plots./a", "a ", "plots/a:b"),  # other names under Windows
    ],
)
def test_an_artifact_stays_in_its_folder(run: CurrentRun, name: str) -> None:
    with pytest.raises(ValueError):
        run.log_artifact(b"x", name)


def test_an_artifact_goes_through_no_link(run: CurrentRun, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (run.artifacts / "link").symlink_to(tmp_path / "outside")
    (run.artifacts / "file").symlink_to(tmp_path / "outside/x")
    with pytest.raises(OSError):
        run.log_artifact(b"x", "link/x")
    with pytest.raises(FileExistsError):
        run.log_artifact(b"x", "file")
    assert list((tmp_path / "outside").iterdir()) == []


def test_the_configuration_is_read_as_yaml_1_2(run: CurrentRun, tmp_path: Path) -> None:
    assert run.config == {"run_id": "run-2026-02-01-001", "seed": 1e-4}
    assert read_config(run._place("RUNFORGE_CONFIG")) == run.config
    assert (run.active, run.run_id) == (True, "run-2026-02-01-001")


def test_outside_of_a_run_nothing_comes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNFORGE_RUN_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    run = current_run()
    run.log_metric("loss", 0.5)
    run.log_summary("x", 1)
    run.log_parameters({"a": 1})
    run.log_artifact(b"x", "a/b")
    (run.artifacts / "model.pkl").write_bytes(b"kept nowhere")
    assert (run.active, run.run_id, run.folder, run.config) == (False, None, None, {})
    with pytest.raises(TypeError):
        run.log_metric("loss", "0.5")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_helper_loads_nothing_that_costs_a_script_time() -> None:
    program = (
        "import sys; before = set(sys.modules); from runforge_engine.experiment import current_run;"
        "current_run(); print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name for name in done.stdout.split() if not name.startswith("runforge_engine")}
    assert not loaded & {
        "msgspec",
        "numpy",
        "yaml",
        "jsonschema_rs",
        "runforge_contracts",
        "typing",
    }
    assert {name for name in done.stdout.split() if name.startswith("runforge")} == {
        "runforge_engine",
        "runforge_engine.experiment",
        "runforge_engine.experiment.tracking",
    }


def test_lines_of_several_processes_do_not_mix(run: CurrentRun) -> None:
    program = (
        "import sys; from runforge_engine.experiment import current_run; run = current_run()\n"
        "for step in range(300): run.log_metric('m' + sys.argv[1] + 'x' * 500, 0.5, step)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(number)]) for number in range(4)
    ]
    assert [process.wait() for process in started] == [0] * 4
    steps: dict[str, list[int]] = {}
    for line in lines(run):
        steps.setdefault(line["metric"], []).append(line["step"])
    assert list(steps.values()) == [list(range(300))] * 4


# The journal


def amount(*texts: bytes) -> Journal:
    """Return the metrics that result from lines of a journal."""
    journal = Journal()
    for text in texts:
        journal.read(text)
    return journal


def test_a_step_that_is_not_given_is_the_next_one() -> None:
    journal = amount(
        b'{"metric": "a", "value": 1}',
        b'{"metric": "a", "value": 2}',
        b'{"metric": "a", "step": 10, "value": 3}',
        b'{"value":4,"metric":"a"}',
        b'{"metric": "b", "value": 5, "step": 0.5}',
        b'{"metric": "b", "value": 6}',
        b'{"summary": "b", "value": -1}',
        b'{"parameter": "p", "value": {"x": [1]}}',
        b'{"parameter": "p", "value": 2}',
    )
    assert journal.document == {
        "summary": {"a": 4, "b": -1},
        "history": {
            "a": [
                {"step": 1, "value": 1},
                {"step": 2, "value": 2},
                {"step": 10, "value": 3},
                {"step": 11, "value": 4},
            ],
            "b": [{"step": 0.5, "value": 5}, {"step": 1.5, "value": 6}],
        },
    }
    assert (journal.parameters, journal.warnings) == ({"p": 2}, [])


def test_the_value_of_the_highest_step_is_the_final_one(tmp_path: Path) -> None:
    lines = [b'{"metric": "a", "step": %d, "value": %d}' % (step, -step) for step in (1, 3, 2)]
    assert amount(*lines).document == {
        "summary": {"a": -3},
        "history": {"a": [{"step": step, "value": -step} for step in (1, 2, 3)]},
    }
    after = amount(*lines, b'{"metric": "a", "value": 7}').document
    assert (after["summary"], after["history"]["a"][-1]) == ({"a": 7}, {"step": 4, "value": 7})
    given = amount(b'{"summary": "a", "value": 9}', *lines, b'{"summary": "a", "value": 8}')
    assert given.document["summary"] == {"a": 8}
    left = amount(*lines, b'{"metric": "a", "step": 4, "value": NaN}')
    assert left.document["summary"] == {"a": -3}
    assert len(left.warnings) == 1


def test_the_order_in_which_lines_of_several_processes_arrive_decides_nothing() -> None:
    lines = [
        *(b'{"metric": "a", "step": %d, "value": %d}' % (step, 5 - step) for step in (1, 2, 3)),
        b'{"metric": "a", "step": 3, "value": 1.5}',
        b'{"metric": "a", "step": 2, "value": 9}',
        b'{"metric": "b", "step": 1, "value": 4}',
        b'{"metric": "b", "step": 1, "value": 5}',
        b'{"metric": "b", "step": 1, "value": 3, "revision": 1}',
        *(b'{"summary": "s", "revision": 0, "value": %d}' % value for value in (1, 3, 2)),
        b'{"summary": "t", "revision": 1, "value": 1}',
        b'{"summary": "t", "revision": 0, "value": 2}',
        *(b'{"parameter": "p", "revision": 0, "value": %s}' % text for text in (b'"x"', b"[2]")),
    ]
    found = set()
    for seed in range(50):
        journal = amount(*random.Random(seed).sample(lines, len(lines)))
        found.add(json.dumps([journal.document, journal.parameters], sort_keys=True))
    [text] = found
    document, _ = json.loads(text)
    assert document["summary"] == {"a": 2, "b": 3, "s": 3, "t": 1}
    assert [point["value"] for point in document["history"]["a"]] == [4, 3, 9, 1.5, 2]


def test_null_in_a_line_is_like_an_absent_member() -> None:
    line = b'{"metric": "a", "summary": null, "parameter": null, "step": null, "revision": null'
    assert (
        amount(line + b', "value": 1}').document == amount(b'{"metric": "a", "value": 1}').document
    )


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"",
            b"x",
            b"[]",
            b"{}",
            b'{"metric": "a"}',
            b'{"value": 1}',
            b'{"metric": "", "value": 1}',
        ),
        b'{"metric": "a", "value": NaN}',
        b'{"metric": "a", "value": 1e999}',
        b'{"metric": "a", "value": 01}',
        b'{"metric": "a", "value": "1"}',
        b'{"metric": "a", "value": true}',
        b'{"metric": "a", "value": 1, "step": "1"}',
        b'{"metric": "a", "value": 1, "value": 2}',
        b'{"metric": "a", "summary": "b", "value": 1}',
        b'{"metric": "\\ud800", "value": 1}',
        b'{"metric": "\xff", "value": 1}',
        b'{"parameter": "a", "value": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"parameter": "a", "value": ' + b"[" * 63 + b"]" * 63 + b"}",
    ],
)
def test_an_invalid_line_is_reported_and_skipped(line: bytes) -> None:
    journal = amount(line, b'{"metric": "b", "value": 1}')
    assert journal.document == {"summary": {"b": 1}, "history": {"b": [{"step": 1, "value": 1}]}}
    assert len(journal.warnings) == 1
    assert journal.parameters == {}


@settings(max_examples=300, deadline=None)
@given(
    st.text(min_size=1, max_size=8) | st.sampled_from(['a"', "a\\", "~", "é"]),
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20),
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20),
    st.booleans(),
)
def test_the_quick_way_reads_as_the_strict_one(
    name: str, value: float, step: float | None, tight: bool
) -> None:
    entry = {"metric": name, "value": value, **({} if step is None else {"step": step})}
    separators = (",", ":") if tight else (", ", ": ")
    text = json.dumps(entry, ensure_ascii=False, separators=separators)
    try:
        line = text.encode()
    except UnicodeEncodeError:
        return
    strict = journal_line(1, line).entry
    assert strict is not None
    [point] = amount(line).document["history"][name]
    assert json.dumps(point) == json.dumps(
        {"step": step if step is not None else 1, "value": value}
    )


def test_the_document_has_the_form_of_the_contract(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl", tmp_path / "metrics.json")
    (tmp_path / "metrics.jsonl").write_bytes(b'{"metric": "l\xc3\xb6ss", "value": 1e-7}\n')
    metrics.finish()
    assert (tmp_path / "metrics.json").read_bytes() == encode_json(metrics.journal.document)


def test_a_torn_line_counts_only_once_it_is_whole(tmp_path: Path) -> None:
    journal, document = tmp_path / "metrics.jsonl", tmp_path / "metrics.json"
    metrics = Metrics(journal, document)
    journal.write_bytes(b'{"metric": "a", "value": 1}\n{"metric": "a", "val')
    metrics.follow()
    assert json.loads(document.read_bytes())["summary"] == {"a": 1}
    with journal.open("ab") as file:
        file.write(b'ue": 2}\n{"metric": "a", "value": 3}')
    metrics.finish()
    assert json.loads(document.read_bytes())["summary"] == {"a": 3}
    assert metrics.warnings == []
    torn = Metrics(journal, tmp_path / "torn.json")
    with journal.open("ab") as file:
        file.write(b'\n{"metric": "a", "value"')
    torn.finish()
    assert torn.journal.document["summary"] == {"a": 3}
    assert torn.warnings == []


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    journal = tmp_path / "metrics.jsonl"
    with journal.open("wb") as file:
        for _ in range(40):
            file.write(b"x" * 2**20)
        file.write(b'\n{"metric": "a", "value": 1}\n')
    metrics = Metrics(journal, tmp_path / "metrics.json")
    metrics.finish()
    assert metrics.journal.document["summary"] == {"a": 1}
    assert len(metrics.warnings) == 1


def test_what_user_code_writes_itself_stays(tmp_path: Path) -> None:
    journal, document = tmp_path / "metrics.jsonl", tmp_path / "metrics.json"
    journal.write_bytes(b'{"metric": "a", "value": 1}\n')
    document.write_bytes(b"mine")
    before = Metrics(journal, document)
    before.finish()
    assert document.read_bytes() == b"mine"
    assert "wrote metrics.json itself" in before.warnings[0]
    document.unlink()
    after = Metrics(journal, document)
    after.follow()
    assert document.read_bytes() != b"mine"
    document.write_bytes(b"mine")
    with journal.open("ab") as file:
        file.write(b'{"metric": "a", "value": 2}\n')
    after.finish()
    assert document.read_bytes() == b"mine"
    assert "wrote metrics.json itself" in after.warnings[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "metrics.jsonl"]


def test_a_journal_that_is_no_file_is_reported(tmp_path: Path) -> None:
    for name in ("link", "folder", "pipe"):
        journal = tmp_path / name
        if name == "link":
            journal.symlink_to("/etc/passwd")
        elif name == "folder":
            journal.mkdir()
        else:
            os.mkfifo(journal)
        metrics = Metrics(journal, tmp_path / f"{name}.json")
        metrics.follow()
        metrics.finish()
        assert len(metrics.warnings) == 1


def test_more_than_a_document_can_hold_stays_in_the_journal(tmp_path: Path) -> None:
    journal = Journal()
    for number in range(MAX_POINTS + 10):
        journal.read(b'{"metric": "a", "value": %d}' % number)
    assert journal.document["summary"] == {"a": MAX_POINTS + 9}
    assert len(journal.document["history"]["a"]) == MAX_POINTS
    assert journal.warnings == ["Points that are in the journal only, for want of room: 10."]
    large = json.dumps({"parameter": "p", "value": "x" * 200_000}).encode()
    journal = amount(large, large.replace(b'"p"', b'"q"'))
    assert list(journal.parameters) == ["p"]
    assert len(journal.warnings) == 1


def test_a_document_is_valid_whenever_it_is_looked_at(tmp_path: Path) -> None:
    journal, document = tmp_path / "metrics.jsonl", tmp_path / "metrics.json"
    metrics = Metrics(journal, document)
    for number in range(200):
        with journal.open("ab") as file:
            file.write(b'{"metric": "a", "value": %d}\n' % number)
        metrics._due = 0
        metrics.follow()
        assert json.loads(document.read_bytes())["summary"] == {"a": number}
    assert time.monotonic() < metrics._due


@pytest.mark.parametrize("depth", [63, 64])
def test_of_many_mistakes_a_few_are_reported_one_by_one(depth: int) -> None:
    journal = Journal()
    for _ in range(100):
        journal.read(b'{"parameter": "p", "value": %s}' % (b"[" * depth + b"]" * depth))
    assert len(journal.warnings) == 6
    assert journal.warnings[-1] == "There are 95 more such lines."
