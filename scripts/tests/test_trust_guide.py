"""Every command of the guide on trust runs, in order, and prints what the page says."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/trust.md"
#: A block of commands, the module that it needs, if any, and what it prints.
BLOCK = re.compile(
    r"^```sh ?(\S*)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)


@pytest.mark.skipif(os.name == "nt", reason="the guide's commands are for a POSIX shell")
def test_the_commands_run_and_print_what_the_page_says(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    text = GUIDE.read_text("utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```sh") > 6
    assert sum(bool(shown) for _, _, shown in blocks) == text.count("```text") > 5
    script, expected = ["set -eu"], []
    for number, (needed, commands, shown) in enumerate(blocks):
        if needed and importlib.util.find_spec(needed) is None:
            continue
        script += [commands, f"echo '== {number}'"]
        expected.append((number, shown))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RUNFORGE")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        ["sh", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout
    for number, shown in expected:
        output, printed = printed.split(f"== {number}\n", 1)
        for line in shown.splitlines():
            assert line in output, output
