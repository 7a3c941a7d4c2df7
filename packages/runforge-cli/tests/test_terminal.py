"""What stands on a terminal: it fits, it says which way to go, and it is safe."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from calls import TRAIN, Call
from hypothesis import given
from hypothesis import strategies as st
from runforge_cli.render.tables import coefficient_lines, confusion_section
from runforge_cli.shell.failures import report_failure
from runforge_cli.terminal.text_layout import GAP, fit, hanging, pairs, table, width, within, wrap
from syrupy.assertion import SnapshotAssertion


def columns_of(text: str) -> int:
    """Count terminal columns by the Unicode tables, apart from the code under test."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


NAMES = st.text(st.sampled_from("ab é猫特ﾈ\u0301 "), max_size=120)


@given(NAMES, st.integers(2, 90))
def test_wrapped_text_fits_and_keeps_every_character(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert max(columns_of(line) for line in lines) <= columns
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(NAMES, st.integers(3, 90))
def test_a_cut_text_fits(text: str, columns: int) -> None:
    assert width(fit(text, columns)) <= columns


@pytest.mark.parametrize("terminal", [40, 60, 80, 132])
def test_long_and_wide_names_fit(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal))
    long, wide = "a" * 300, "特徴量" * 60
    classes = [f"{wide}{index}" for index in range(12)]
    matrix = [[int(row == column) * 1000 for column in range(12)] for row in range(12)]
    features = [{"name": name, "coefficient": 1.0, "abs_coefficient": 1.0} for name in (long, wide)]
    by_class = [{"class": name, "features": features} for name in classes]
    lines = [
        *pairs([(long, wide), (wide, long), ("short", f"{long} {wide}")]),
        *table(("name", "n"), [[long, "1"], [wide, "2"]], flexible=0),
        *confusion_section({"confusion_matrix": matrix}, classes)[1],
        *coefficient_lines({"coefficients_by_class": by_class}),
    ]
    assert max(columns_of(line) for line in lines) <= terminal


def test_classes_with_long_names_are_numbered_not_cut_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"a-rather-long-name-of-a-class-{index}" for index in range(3)]
    matrix = [[3, 1, 0], [0, 4, 0], [0, 0, 5]]
    _, lines = confusion_section({"confusion_matrix": matrix}, names)
    assert lines[0].split() == ["1", "2", "3"]
    assert lines[1].split() == ["1", names[0], "3", "1", "0"]


def test_of_many_classes_the_most_confused_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    matrix = [[5 if row == column else 0 for column in range(40)] for row in range(40)]
    assert "None" in confusion_section({"confusion_matrix": matrix}, None)[1][0]
    matrix[7][31] = 2
    title, lines = confusion_section({"confusion_matrix": matrix}, None)
    assert (title, lines[1].split()) == (
        "Most confused classes",
        ["class", "8", "class", "32", "2"],
    )


def test_rest_of_the_classes_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    features = [{"name": "a", "coefficient": 1.0, "abs_coefficient": 1.0}]
    groups = [{"class": index, "features": features} for index in range(4)]
    coefficients = {"coefficients_by_class": groups}
    assert coefficient_lines(coefficients, max_classes=3)[-1] == f"{GAP}… and 1 more class"
    assert coefficient_lines(coefficients, max_classes=2)[-1] == f"{GAP}… and 2 more classes"


@pytest.fixture
def listed(runforge: Call, workspace: Path) -> Path:
    """Return a workspace whose index names three runs, one of them with a long wide name."""
    entries = [
        {
            "run_id": f"20260201-12000{index}-0000abc{index}",
            "created_at": "2026-02-01T12:00:00Z",
            "name": name or f"20260201-12000{index}-0000abc{index}",
            "preset_id": "balanced",
            "status": status,
            "summary": {"duration_ms": 1234, "final_metrics": metrics, "device": "cpu"},
            "run_dir": f".runforge/runs/20260201-12000{index}-0000abc{index}",
            "dataset_fingerprint_sha256": f"{index}" * 64,
            "label_column": "species",
            "model_family": family,
        }
        for index, (name, status, family, metrics) in enumerate(
            (
                ("名前がとても長い" * 5, "succeeded", "logistic_regression", {"accuracy": 0.9}),
                (None, "failed", "random_forest", {}),
                ("short", "succeeded", "linear_svc", {"accuracy": 0.75}),
            )
        )
    ]
    for entry in entries:
        (workspace / str(entry["run_dir"])).mkdir(parents=True)
    index_file = workspace / ".runforge/index.json"
    index_file.write_text(json.dumps({"schema_version": "index.v1", "runs": entries}), "utf-8")
    return workspace


@pytest.mark.parametrize("terminal", [40, 60, 80, 132])
def test_the_list_of_runs_has_the_columns_that_fit(
    terminal: int,
    runforge: Call,
    listed: Path,
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal))
    out = runforge("runs").out
    assert max(columns_of(line) for line in out.splitlines()) <= terminal
    assert out == snapshot


#: Errors in words of our own; those of click differ between its releases.
ERRORS: dict[str, tuple[str, ...]] = {
    "group without a command": ("schema",),
    "misspelt command": ("trian",),
    "misspelt command of a group": ("schema", "lst"),
    "unknown metric": ("runs", "--sort", "speed\x1b[2J"),
    "two hyperparameters": (*TRAIN, "--param", "C=-1", "--param", "max_itr=1"),
    "not UTF-8": ("show", "\udcff"),
    "no such run": ("show", "20250101"),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_an_error_reads_well(
    call: tuple[str, ...], runforge: Call, listed: Path, snapshot: SnapshotAssertion
) -> None:
    result = runforge(*call)
    assert (result.out, "Traceback" in result.err) == ("", False)
    assert result.err.replace(str(listed), "WORKSPACE") == snapshot
    assert runforge(*call, "--json").json["error"]["message"]


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are those of POSIX")
def test_an_error_fits_the_terminal_and_keeps_what_may_be_copied(workspace: Path) -> None:
    from terminals import Terminal

    place = workspace / "a-rather-long-name" / "for-a-workspace"
    (place / ".runforge/runs/20260201-120000-00000000").mkdir(parents=True)
    with Terminal(("show", "nope"), place, columns=40, lines=40) as terminal:
        assert terminal.leave() == 3
        first, *rest = terminal.written.decode().split("\r\n")
    assert first == "error[RUN_NOT_FOUND]: There is no run"
    # The path is not wrapped by us but by the terminal, so that it can be copied.
    assert rest[0] == "  `nope` in"
    assert rest[1] == f"  `{place}`."
    assert rest[2:] == ["hint: `runforge runs` lists them;", "  `latest` is the newest one.", ""]


@given(NAMES.map(str.split).map(" ".join), st.integers(40, 90))
def test_a_line_that_is_too_long_hangs(text: str, columns: int) -> None:
    with within(columns):
        lines = hanging(f"  {text}")
    assert " ".join(line.strip(" ") for line in lines) == text
    assert all(width(line) <= columns or " " not in line.strip(" ") for line in lines)
    assert [line[:4] for line in lines[1:]] == ["    "] * (len(lines) - 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sign", "latest"), "`--key` is missing."),
        (("schema", "show"), "`NAME` is missing."),
        (("show", "--jsn"), "Unknown option `--jsn`. Did you mean `--json`?"),
        (("runs", "--limit", "0"), "Invalid value for `--limit`: 0 is not in"),
        (("runs", "--status", "ok"), "Invalid value for `--status`: `ok` is not one of"),
        (("runs", "extra"), "extra"),
    ],
)
def test_what_is_wrong_with_a_call_is_said_plainly(
    arguments: tuple[str, ...], message: str, runforge: Call
) -> None:
    result = runforge(*arguments)
    assert (result.code, message in result.err) == (2, True), result.err


def test_a_status_that_does_not_exist_is_refused(runforge: Call) -> None:
    result = runforge("runs", "--status", "succeded")
    assert (result.code, "`succeeded`, `failed`, `cancelled`" in result.err) == (2, True)


def test_a_dataset_named_in_bytes_is_refused(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNFORGE_DATASET", "\udcff.csv")
    result = runforge("train", "--label", "y")
    assert (result.code, "`DATA` is not UTF-8." in result.err) == (2, True)


def test_verbose_training_says_all_there_is_to_say(runforge: Call) -> None:
    result = runforge(*TRAIN, "--verbose")
    assert "info: The model family `logistic_regression` has no feature importances." in result.err


@pytest.mark.parametrize("command", ["show", "rerun", "metrics"])
def test_a_shell_completes_runs(command: str, runforge: Call, listed: Path) -> None:
    environment = {
        **os.environ,
        "_RUNFORGE_COMPLETE": "bash_complete",
        "COMP_WORDS": f"runforge {command} 2026",
        "COMP_CWORD": "2",
    }
    program = "from runforge_cli.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.stdout.split("\t")[0] == "plain,20260201-120002-0000abc2"
    assert len(done.stdout.splitlines()) == 3


def on_a_terminal(
    arguments: Sequence[str], folder: Path, interrupt_at: bytes | None = None
) -> tuple[int, str]:
    """Call the command on a terminal of 80 columns; return its exit code and what it wrote."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    written = bytearray()
    with subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", *arguments],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        cwd=folder,
        env={**environment, "TERM": "xterm"},
        # A terminal of its own, so that Ctrl-C reaches the command and not the tests.
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:
        os.close(inner)
        while True:
            try:
                data = os.read(outer, 65536)
            except OSError:  # Linux tells the end of a terminal so.
                break
            if not data:
                break
            written += data
            if interrupt_at is not None and interrupt_at in written:
                os.write(outer, b"\x03")
                interrupt_at = None
    os.close(outer)
    return process.returncode, written.decode()


def test_a_terminal_sees_one_line_that_changes_and_then_the_run(workspace: Path) -> None:
    code, written = on_a_terminal((*TRAIN, "--model", "random_forest"), workspace)
    assert code == 0
    *progress, _ = [part for part in written.split("\r\x1b[2K") if part]
    assert any(part.startswith("Growing trees █") and "50 of 100" in part for part in progress)
    assert all(columns_of(part.strip("\r\n")) < 80 for part in progress)
    assert written.count("\x1b[32msucceeded\x1b[0m") == 1
    code, plain = on_a_terminal(("show", "--no-color"), workspace)
    assert (code, "\x1b" in plain) == (0, False)


def test_a_terminal_sees_the_stages_and_the_time_that_is_left(workspace: Path) -> None:
    options = ("--model", "random_forest", "--param", "n_estimators=1000000")
    code, written = on_a_terminal((*TRAIN, *options), workspace, interrupt_at=b" left")
    assert code == 5
    shown = [part.strip() for part in written.split("\r\x1b[2K") if part]
    stages = [part.partition(",")[0] for part in shown]
    assert stages[0] == "Reading the dataset"
    assert "Preparing 342 rows with 4 features" in stages
    growing = next(part for part in shown if " left" in part)
    pattern = r"Growing trees \S* +[0-9,]+ of 1,000,000, 0:[0-9]{2}, [0-9:]+ left"
    assert re.match(pattern, growing)
    # Nothing of the line is left before the error.
    assert shown[-1].startswith("error[CANCELLED]")


def test_a_call_that_is_refused_leaves_no_progress(workspace: Path) -> None:
    code, written = on_a_terminal(("train", "absent.csv", "--label", "species"), workspace)
    assert code == 3
    assert written.split("\r\x1b[2K")[-1].startswith("error[DATASET_NOT_FOUND]")


def test_control_c_on_a_terminal_cancels(workspace: Path) -> None:
    options = ("--model", "random_forest", "--param", "n_estimators=1000000")
    code, written = on_a_terminal((*TRAIN, *options), workspace, interrupt_at=b"Growing")
    assert code == 5
    assert "error[CANCELLED]: The run was cancelled by SIGINT." in written


def test_help_loads_little_more_than_click(workspace: Path) -> None:
    program = (
        "import sys\n"
        "from runforge_cli.__main__ import guard\n"
        "from runforge_cli.shell.app import cli\n"
        "assert guard(lambda: cli.main(['--help'], standalone_mode=False) or 0, json=False) == 0\n"
        "heavy = {'jsonschema_rs', 'msgspec', 'runforge_contracts', 'runforge_engine', 'json'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_a_traceback_has_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(ValueError("\x1b]0;title\x07"), json=False) == 4
    shown = capsys.readouterr().err
    assert r"ValueError: \x1b]0;title\x07" in shown
    assert "\x1b" not in shown
