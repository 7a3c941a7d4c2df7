"""The environment of a worker is compared in all that can change a bit of a model."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.errors import ErrorCode
from runforge_engine.distributed.environment_mismatch import (
    MISSING,
    EnvironmentDifference,
    differences,
    mismatch_error,
)
from runforge_engine.distributed.environment_report import report_environment
from runforge_engine.provenance.collect import PACKAGES


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    return report_environment()


def test_the_report_has_what_a_run_would_record(here: dict[str, Any], train: Any) -> None:
    folder = train().run_dir
    import json

    recorded = json.loads((folder / "run.json").read_text("utf-8"))["provenance"]
    assert here["platform"].pop("host")
    assert {name: here[name] for name in here} == {name: recorded[name] for name in here}


def test_the_report_does_not_import_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    code = (
        "from runforge_engine.distributed.environment_report import report_environment as r;"
        "print(r()['python']['version'])"
    )
    answer = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        check=True,
        text=True,
    )
    assert answer.stdout.strip() == ".".join(map(str, sys.version_info[:3]))


def test_an_equal_environment_has_no_differences(here: dict[str, Any]) -> None:
    worker = copy.deepcopy(here)
    worker["platform"] |= {"host": "elsewhere", "cpu": "Another Processor"}
    worker["python"]["executable"] = "/opt/python"
    worker["numerics"]["environment"]["NPY_DISABLE_CPU_FEATURES"] = ""
    assert differences(here, worker) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_version_of_each_package_counts(package: str, here: dict[str, Any]) -> None:
    worker = copy.deepcopy(here)
    worker["packages"][package] = "0.0.1"
    [found] = differences(here, worker)
    assert found == (f"packages.{package}", here["packages"][package], "0.0.1")
    del worker["packages"][package]
    assert differences(here, worker)[0].worker == MISSING


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("python", "version", "3.9.1"),
        ("python", "implementation", "PyPy"),
        ("platform", "os", "Darwin"),
        ("platform", "machine", "arm64"),
        ("platform", "libc", "glibc 2.1"),
        ("numerics", "pinned", False),
        ("numerics", "threads", 2),
    ],
)
def test_interpreter_machine_and_numerics_count(
    part: str, name: str, value: Any, here: dict[str, Any]
) -> None:
    worker = copy.deepcopy(here)
    worker[part][name] = value
    assert [found.name for found in differences(here, worker)] == [f"{part}.{name}"]


def test_processor_features_count_where_nothing_is_pinned(here: dict[str, Any]) -> None:
    one, other = copy.deepcopy(here), copy.deepcopy(here)
    other["numerics"]["simd"] = [*here["numerics"]["simd"], "X86_V4"]
    one["numerics"]["pinned"] = other["numerics"]["pinned"] = True
    assert differences(one, other) == []
    one["numerics"]["pinned"] = other["numerics"]["pinned"] = False
    assert [found.name for found in differences(one, other)] == ["numerics.simd"]


@pytest.mark.parametrize("report", [{}, {"python": 3, "packages": [], "numerics": None}])
def test_a_report_may_be_anything(report: Any, here: dict[str, Any]) -> None:
    assert len(differences(here, report)) > len(PACKAGES)


def test_the_error_lists_all_differences_of_all_workers() -> None:
    found = [EnvironmentDifference("packages.numpy", "2.1", "2.0\x1b[31m")]
    error = mismatch_error({"one": found, "two": found * 2}, total=5)
    assert error.code is ErrorCode.WORKER_MISMATCH
    assert error.message.startswith("2 of 5 workers")
    assert [problem.message for problem in error.problems] == [
        "Worker `one`: packages.numpy is `2.0\\x1b[31m`, here `2.1`.",
        *["Worker `two`: packages.numpy is `2.0\\x1b[31m`, here `2.1`."] * 2,
    ]
