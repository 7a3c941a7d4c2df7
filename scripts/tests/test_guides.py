"""Every snippet of the guides runs as it stands on the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guide_pages import GUIDES, ROOT, code, indented

GUIDE = GUIDES / "read-and-write-runs.md"
VECTORS = ROOT / "docs/test-vectors"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace as the guide's reader has it."""
    shutil.copytree(VECTORS / "runs/v0.3.6", tmp_path, dirs_exist_ok=True)
    shutil.copyfile(VECTORS / "request.v1.unknown-fields.json", tmp_path / "request.json")
    shutil.copyfile(VECTORS / "run.v0.4.0.full.json", tmp_path / "run.json")
    return tmp_path


def changed_lines(path: Path) -> list[tuple[str, str]]:
    old = (VECTORS / "request.v1.unknown-fields.json").read_text("utf-8").splitlines()
    new = path.read_text("utf-8").splitlines()
    assert len(old) == len(new)
    return [(left, right) for left, right in zip(old, new, strict=True) if left != right]


def test_the_python_snippets_run_and_print_what_the_page_says(workspace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code(GUIDE, "python")],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = indented(GUIDE)
    assert shown
    for line in shown:
        assert line in done.stdout
    assert "20260115-101500-1a2b3c4d succeeded" in done.stdout
    assert changed_lines(workspace / "request.json") == [
        ('  "preset": "balanced",', '  "preset": "thorough",')
    ]
    assert (workspace / "cancelled-result.json").read_text().endswith('"duration_ms": 1200\n}\n')


@pytest.mark.slow
def test_the_client_of_the_server_trains_and_prints_what_the_page_says(tmp_path: Path) -> None:
    page = GUIDES / "serve.md"
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
    done = subprocess.run(
        [sys.executable, "-c", code(page, "python")],
        cwd=tmp_path,
        env={**os.environ, "PATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    command, *shown = indented(page)
    assert command == "runforge serve --stdio"
    assert done.stdout.splitlines()[-len(shown) :] == shown


#: The pages that a reader copies commands from.
PAGES = sorted([ROOT / "README.md", *ROOT.glob("packages/*/README.md"), *GUIDES.glob("*.md")])
#: Commands that remove, move or overwrite.
HARMFUL = re.compile(
    r"(?:^|[|&;(]|\bdo|\bthen)\s*(?:rm|mv|cp|sed -i\S*|chmod|tee|truncate)\s|>(?!&)"
)
VARIABLE = re.compile(r"\$(?:\{([a-z_]\w*)([^}]*)\}|([a-z_]\w*))")


def unguarded(commands: str) -> list[str]:
    """Return the lines that can harm if something that a shell fills in is empty.

    ``${run:?}`` is guarded: the shell stops.
    """
    lines = re.sub(r"<<'?(\w+)'?.*?^\1$", "", commands, flags=re.DOTALL | re.MULTILINE)
    return [
        line
        for line in lines.replace("\\\n", " ").splitlines()
        if HARMFUL.search(line)
        and ("$(" in line or any(rest[:2] != ":?" for _, rest, _ in VARIABLE.findall(line)))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_removes_or_overwrites_by_an_empty_variable(page: Path) -> None:
    blocks = re.findall(r"^```sh.*?\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert [line for block in blocks for line in unguarded(block)] == []


@pytest.mark.parametrize(
    ("commands", "count"),
    [
        ('rm -r ".runforge/runs/$run"', 1),
        ('rm -r ".runforge/runs/${run}"', 1),
        ('rm -r ".runforge/runs/${run:?}"', 0),
        ("cp -r a b && mv ${a:?} $b", 1),
        ('echo x >> "$folder/log.txt"', 1),
        ("echo $run", 0),
        ('echo x >> "$(ls runs/*)/log.txt"', 1),
        ("cat > a.sh <<'EOF'\necho $x > $y\nEOF", 0),
        ('runforge sign x \\\n  --key $key > "$out"', 1),
    ],
)
def test_an_unguarded_variable_is_found(commands: str, count: int) -> None:
    assert len(unguarded(commands)) == count


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_runforge_is_installed_from_a_clone_until_there_is_a_release(page: Path) -> None:
    assert not re.search(r"pip install [^`\n]*(?<![/\w])[\"']?runforge-", page.read_text("utf-8"))
