"""Ten minutes from nothing, as the page has them; only the installing is what is here already."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from guide_pages import GUIDES, ROOT, follow, posix, steps

PAGE = GUIDES / "ten-minutes.md"
PROGRAMS = Path(sys.executable).parent
#: Runs in every new clone, and stands for `make setup`, which takes a minute and a network.
SETUP = f"""#!/bin/sh
mkdir .venv && ln -s '{PROGRAMS}' .venv/bin && touch .venv/.python .venv/.installed
"""


@pytest.mark.slow
@posix
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no repository to clone")
@pytest.mark.skipif(not (PROGRAMS / "activate").exists(), reason="there is nothing to activate")
def test_the_commands_run_and_print_what_the_page_says(tmp_path: Path) -> None:
    hook = tmp_path / "template/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text(SETUP, "utf-8")
    hook.chmod(0o755)
    (address,) = {
        word
        for step in steps(PAGE)
        for word in step.commands.split()
        if word.startswith("https://")
    }
    (tmp_path / "home").mkdir()
    follow(
        steps(PAGE),
        tmp_path / "home",
        {
            "GIT_TEMPLATE_DIR": str(tmp_path / "template"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": address,
        },
    )
    assert (tmp_path / "home/runforge/penguins.html").is_file()
