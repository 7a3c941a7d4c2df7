"""Surroundings that are not UTF-8: what comes in is taken, and what goes out can be read."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from calls import TRAIN
from runforge_cli.process.encoding import soften
from runforge_cli.terminal.text_layout import _BLOCKS, bar

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
posix = pytest.mark.skipif(os.name != "posix", reason="elsewhere arguments are not bytes")


def call(
    folder: Path, *arguments: str | bytes, module: str = "runforge_cli", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**variables, **environment},
        capture_output=True,
        check=False,
    )


@posix
def test_in_an_ascii_locale_arguments_and_files_in_utf8_are_taken(workspace: Path) -> None:
    shutil.copyfile("penguins.csv", "größe.csv")
    train = ["größe.csv" if word == "penguins.csv" else word for word in TRAIN]
    done = call(workspace, *train, "--name", "Größe", **ASCII)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode("ascii")
    assert r"Gr\xf6\xdfe" in shown
    assert "####################" in shown
    assert r"\u2588" not in shown
    [folder] = (workspace / ".runforge/runs").iterdir()
    request = json.loads((folder / "request.json").read_bytes())
    assert (request["dataset"]["path"], request["name"]) == ("größe.csv", "Größe")
    again = call(workspace, "rerun", "latest", "--json", **ASCII)
    assert (again.returncode, json.loads(again.stdout)["status"]) == (0, "succeeded"), again.stderr
    inspect = ("inspect", "--dataset", "größe.csv", "--label", "species", "--json")
    looked = call(workspace, *inspect, module="ml_runner", **ASCII)
    assert json.loads(looked.stdout)["path"] == "größe.csv"


@posix
def test_what_is_no_utf8_is_refused_in_every_locale(workspace: Path) -> None:
    for environment in ({}, ASCII, {**ASCII, "PYTHONIOENCODING": "cp1252"}):
        done = call(workspace, "show", b"gr\xff", **environment)
        assert done.returncode == 2
        assert rb"b'gr\xff' is not valid UTF-8" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_bars_are_drawn_with_what_an_encoding_has(encoding: str, filled: Path) -> None:
    done = call(filled, "show", "latest", PYTHONIOENCODING=encoding)
    shown = done.stdout.decode(encoding)
    assert done.returncode == 0, done.stderr
    assert "\\u25" not in shown
    # The digest is cut off as elsewhere.
    assert "(sha256 f204db2c753b" in shown


def test_under_windows_a_file_gets_utf8_whatever_the_code_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    file = io.BytesIO()
    stream = io.TextIOWrapper(file, encoding="cp1252")
    soften(stream)
    stream.write("größe ▇ Ελλάδα")
    stream.flush()
    assert file.getvalue().decode("utf-8") == "größe ▇ Ελλάδα"
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    soften(stream)
    assert stream.encoding == "cp1252"


def test_every_character_that_is_drawn_with_has_a_stand_in() -> None:
    drawn = "".join(bar(eighths, 64, 8) for eighths in range(65)) + _BLOCKS + "…–−±×"
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    soften(stream)
    stream.write(drawn)
    stream.flush()
    assert "\\" not in stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert len(bar(8, 8, 8)) == 8
