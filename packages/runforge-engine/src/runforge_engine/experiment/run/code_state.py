"""Record the code that an experiment runs: repository, commit, and differences from it.

Source: specification, section 17.3.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.store import layout

from runforge_engine.experiment.config.model_references import MODELS
from runforge_engine.experiment.config.secret_detection import without_secrets
from runforge_engine.provenance.git import Git, GitUnavailableError
from runforge_engine.provenance.git_state import TIME_LIMIT, read_git_state
from runforge_engine.provenance.privacy import LEFT_OUT, is_wanted

#: Folders that runs write to; they are not part of the code.
_OUTPUTS = (layout.EXPERIMENT_RUNS, MODELS, layout.DEFAULT_STORE, layout.LEGACY_STORE)
_NO_REMOTE = "local"
#: A user name with a password before the host.
_PASSWORD = re.compile(r"(?:^|(?<=://))[^/@\s]+:[^/@\s]*@")


def describe_code(root: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the state of the code, and warnings about it.

    Parameters
    ----------
    root
        The repository of the experiment.

    Returns
    -------
    tuple
        ``repo``, ``commit``, ``dirty`` and, exactly if dirty, ``diff_sha256``, as
        :mod:`runforge_engine.provenance.git_state` defines it, or None where there is no commit.
        Then warnings, one sentence each.
    """
    try:
        state = read_git_state(root, *_OUTPUTS)
        if state is None:
            return None, list(_why_unknown(root))
        # The address is as private as the user's name.
        address = LEFT_OUT if is_wanted() else Git(TIME_LIMIT).origin(root)
    except GitUnavailableError as reason:
        return None, [f"The commit is not recorded: {reason}"]
    repo = _NO_REMOTE if address is None else without_password(address)
    described = {"repo": repo, "commit": state.commit, "dirty": state.dirty}
    if state.diff_sha256 is not None:
        described["diff_sha256"] = state.diff_sha256
    if address is None or not _lets_in(address):
        return described, []
    return described, [
        f"The address of `origin` holds a password or a token; {quote(repo, 200)} is recorded."
    ]


def _why_unknown(root: Path) -> Iterator[str]:
    """Yield why the state of a repository is unknown; nothing outside of a repository."""
    folder = Path(os.path.realpath(root))
    if any(os.path.lexists(parent / ".git") for parent in (folder, *folder.parents)):
        yield ("The commit is not recorded: the Git repository has no commit that is checked out.")


def without_password(address: str) -> str:
    """Return the address of a repository without credentials."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return _NO_REMOTE
    if parts.scheme and parts.netloc:
        address = urlunsplit(
            parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        )
    elif _PASSWORD.match(address):  # host:path, the form of ssh
        address = address.partition("@")[2]
    return printable(shorten(without_secrets(address), 500))


def _lets_in(address: str) -> bool:
    """Return whether an address has credentials besides a user name."""
    return bool(_PASSWORD.search(address) or "?" in address or without_secrets(address) != address)
