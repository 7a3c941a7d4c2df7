"""A checkout has the bytes of the repository, whatever Git makes of line ends on a machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def git(*arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["git", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


@pytest.mark.needs("git")
def test_line_ends_stay_as_they_are_where_git_turns_them_to_those_of_windows(
    tmp_path: Path,
) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of Git")
    files = dict[str, str]()
    for line in git("ls-files", "--stage", "-z").split("\0"):
        if line:
            about, name = line.split("\t")
            mode, blob, _ = about.split()
            if mode.startswith("100"):
                files[name] = blob
    git("checkout-index", "--all", f"--prefix={tmp_path}/")
    paths = "".join(f"{tmp_path}/{name}\n" for name in files)
    found = git("hash-object", "--no-filters", "--stdin-paths", text=paths).split()
    pairs = zip(files, files.values(), found, strict=True)
    assert [name for name, blob, made in pairs if blob != made] == []
