"""Every command of the guide on experiments runs, in order, and prints what the page says."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from guide_pages import GUIDES, follow, posix, steps

#: The clock stands still, so that ids are those of the page; and an author is set.
SURROUNDINGS = {
    "SOURCE_DATE_EPOCH": "1769947200",
    **{f"GIT_{who}_NAME": "a" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "a@example.org" for who in ("AUTHOR", "COMMITTER")},
}


@pytest.mark.slow
@posix
def test_the_commands_run_and_print_what_the_page_says() -> None:
    # A short path, so that lines end where they do on the page.
    with TemporaryDirectory() as folder:
        follow(steps(GUIDES / "experiments.md"), Path(folder), SURROUNDINGS)
