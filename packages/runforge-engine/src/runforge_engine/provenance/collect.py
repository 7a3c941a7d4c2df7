"""Collect the provenance of a run: code, interpreter, packages, machine, numeric environment.

Source: specification, section 14.1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_engine.provenance.git import GitUnavailableError
from runforge_engine.provenance.git_state import read_git_state
from runforge_engine.runtime.numeric_environment import describe_numerics
from runforge_engine.runtime.platform_info import describe_platform
from runforge_engine.runtime.preload import wait_for_libraries

#: The packages that can change a bit of the model, with the modules that they are imported as:
#: joblib grows the trees, numpy and scipy compute, pyarrow parses numbers, scikit-learn fits,
#: threadpoolctl sets the threads, and RunForge's two packages control all of them. A run loads each
#: of them. pandas is not listed: a data frame becomes a file before a run uses it, and the run
#: records the file's digest. narwhals, another dependency of scikit-learn, affects data frames
#: only, and RunForge passes arrays.
PACKAGES = {
    "joblib": "joblib",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "runforge-contracts": "runforge_contracts",
    "runforge-engine": "runforge_engine",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "threadpoolctl": "threadpoolctl",
}


@dataclass(frozen=True, slots=True)
class RemoteOrigin:
    """What is known of a run that a worker on another machine makes, away from its workspace."""

    #: ``git``, as :func:`describe_git` returned it in the workspace.
    git: Mapping[str, Any] | None
    #: Why that is incomplete.
    gaps: tuple[str, ...] = ()
    #: Name of the machine; None leaves it out.
    host: str | None = None


def collect_provenance(
    workspace: Path,
    store_name: str,
    client: str,
    report_gap: Callable[[str], None] | None = None,
    origin: RemoteOrigin | None = None,
) -> dict[str, Any]:
    """Return everything that ``run.json`` records under ``provenance``.

    Parameters
    ----------
    workspace
        The folder of the run, in a Git repository or not.
    store_name
        Name of the store's folder in the workspace; it does not count as a change.
    client
        The client that requested the run, ``<client>@<version>``: the request's ``created_by``.
    report_gap
        Called with a sentence when the record is incomplete, for a diagnostic.
    origin
        The origin of a run whose workspace is not on this machine.

    Returns
    -------
    dict
        ``git`` (``commit``, ``dirty``; ``diff_sha256`` exactly if dirty, defined in
        :mod:`runforge_engine.provenance.git_state`; ``diff_unread_files`` if it covers some files
        by their size only), ``python``, ``client``, ``packages``, ``platform`` and ``numerics``.
        Unknown values are absent.
    """
    git = describe_git(workspace, store_name, report_gap) if origin is None else origin.git
    if origin is not None and report_gap is not None:
        for gap in origin.gaps:
            report_gap(gap)
    return describe_process(client, git, None if origin is None else origin.host)


def describe_process(
    client: str, git: Mapping[str, Any] | None, host: str | None = None
) -> dict[str, Any]:
    """Return what :func:`collect_provenance` returns, with a known state of Git."""
    wait_for_libraries()  # Git was running meanwhile.
    environment = describe_environment()
    if host is not None:
        environment["platform"]["host"] = host
    return {
        **({} if git is None else {"git": git}),
        "python": environment.pop("python"),
        "client": client,
        **environment,
    }


def describe_environment() -> dict[str, Any]:
    """Return ``python``, ``packages``, ``platform`` and ``numerics`` of this process."""
    return {
        "python": _describe_python(),
        "packages": _package_versions(),
        "platform": describe_platform(),
        "numerics": describe_numerics(),
    }


def describe_git(
    workspace: Path, store_name: str, report_gap: Callable[[str], None] | None = None
) -> dict[str, Any] | None:
    """Return ``git`` of :func:`collect_provenance`; None outside of a Git repository."""
    report_gap = report_gap or (lambda _: None)
    try:
        state = read_git_state(workspace, store_name)
    except GitUnavailableError as reason:
        report_gap(f"The Git commit was not recorded: {reason}")
        return None
    if state is None:
        return None
    described: dict[str, Any] = {"commit": state.commit, "dirty": state.dirty}
    if state.diff_sha256 is not None:
        described["diff_sha256"] = state.diff_sha256
    if state.unread_files:
        described["diff_unread_files"] = state.unread_files
        report_gap(
            f"The digest of the uncommitted state covers {state.unread_files} large or unreadable"
            " files by their size only."
        )
    return described


def _describe_python() -> dict[str, str]:
    import platform

    described = {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
    }
    # An embedded interpreter may have none.
    if sys.executable:
        executable = sys.executable.encode("utf-8", "backslashreplace").decode("utf-8")
        described["executable"] = executable
    return described


def _package_versions() -> dict[str, str]:
    versions = {package: _version(package, module) for package, module in PACKAGES.items()}
    return {package: version for package, version in versions.items() if version is not None}


def _version(package: str, module: str) -> str | None:
    """Return the version of the loaded module, else of the installed package, else None."""
    loaded = getattr(sys.modules.get(module), "__version__", None)
    if isinstance(loaded, str):
        return loaded
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
