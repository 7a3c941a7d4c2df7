"""The code that an experiment runs: repository, commit, and what differs from it.

Source: TFC-0002, section 6.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from runforge_contracts import layout
from runforge_contracts.text import printable, shorten

from runforge_engine.experiment.copying import MODELS
from runforge_engine.git import Git, GitUnavailableError
from runforge_engine.privacy import LEFT_OUT, is_wanted
from runforge_engine.worktree import TIME_LIMIT, read_git_state

#: Folders that runs write into; they are not what a run is made from.
_OUTPUTS = (layout.EXPERIMENT_RUNS, MODELS, layout.DEFAULT_STORE, layout.LEGACY_STORE)
_NO_REMOTE = "local"


def describe_code(root: Path) -> tuple[dict[str, Any] | None, str | None]:
    """Return the state of the code, and why it is not known where it is not.

    Parameters
    ----------
    root
        The repository of the experiment.

    Returns
    -------
    tuple
        ``repo``, ``commit``, ``dirty`` and, exactly if dirty, ``diff_sha256``, as
        :mod:`runforge_engine.worktree` defines it. None outside of Git and before the first commit.
    """
    try:
        state = read_git_state(root, *_OUTPUTS)
        if state is None:
            return None, None
        # A name as good as that of whoever works on it.
        address = LEFT_OUT if is_wanted() else Git(TIME_LIMIT).origin(root)
    except GitUnavailableError as reason:
        return None, f"The commit is not on record: {reason}"
    described = {
        "repo": _NO_REMOTE if address is None else _without_password(address),
        "commit": state.commit,
        "dirty": state.dirty,
    }
    if state.diff_sha256 is not None:
        described["diff_sha256"] = state.diff_sha256
    return described, None


def _without_password(address: str) -> str:
    """Return the address of a repository without what lets one in."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return _NO_REMOTE
    if parts.scheme and "@" in parts.netloc:
        address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return printable(shorten(address, 500))
