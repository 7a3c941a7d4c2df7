"""What all tests share: whoever starts them, wherever, they mean the same."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile

import pytest

#: Names what must be there: a test that needs it fails where it would otherwise be skipped.
REQUIRED = os.environ.get("RUNFORGE_TESTS_REQUIRE", "").split()


def pytest_configure(config: pytest.Config) -> None:
    """Undo what the caller's shell did to signals; leave out what its user has set."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        # In the background of a script, and under nohup, these are ignored. A handler that does
        # nothing is as good for this process, and programs that it starts are as from a terminal.
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    # A file of our own, not /dev/null: Git puts a new file in the place of the one that it changes.
    settings = tempfile.TemporaryDirectory()
    config.add_cleanup(settings.cleanup)
    os.environ["GIT_CONFIG_GLOBAL"] = f"{settings.name}/gitconfig"
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    for name in [*os.environ]:
        mine = name.startswith("RUNFORGE_") and not name.startswith("RUNFORGE_TEST")
        if mine or name == "SOURCE_DATE_EPOCH":
            del os.environ[name]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what is not there, or fail where that is required."""
    for mark in item.iter_markers("needs"):
        missing = missing_need(*mark.args, **mark.kwargs)
        if missing:
            message = f"{missing} is not installed"
            if missing in REQUIRED:
                pytest.fail(f"{message}, though RUNFORGE_TESTS_REQUIRE names it", pytrace=False)
            pytest.skip(message)


def missing_need(*programs: str, package: str = "") -> str:
    """Return the first of some programs if none is there, or a package that cannot be imported.

    A program of a package's name says nothing: it may belong to another environment.
    """
    if programs and not any(map(shutil.which, programs)):
        return programs[0]
    return package if package and importlib.util.find_spec(package) is None else ""
