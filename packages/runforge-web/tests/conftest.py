"""Workspaces that real commands filled, and a server for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_experiments import Repository, make_repository
from real_store import make_store
from web_browser import running_browser
from web_client import Server, serving


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with runs of every end."""
    workspace = tmp_path_factory.mktemp("store")
    make_store(workspace)
    return workspace


@pytest.fixture(scope="session")
def server(store: Path) -> Iterator[Server]:
    """Return a server for it."""
    with serving(store) as found:
        yield found


@pytest.fixture(scope="session")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a repository with runs of both kinds, and hostile values."""
    return make_repository(tmp_path_factory.mktemp("experiments"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Return a browser."""
    with running_browser() as browser:
        yield browser
