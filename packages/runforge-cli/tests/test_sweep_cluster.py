"""``runforge sweep --scheduler``: a Dask cluster of processes that cannot read the workspace."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dask_cluster import PATIENCE, DaskCluster, dask_cluster, wait_until
from sweeping import (
    PENGUINS,
    counts,
    folders,
    group,
    listed,
    real_environment,
    with_penguins,
)

pytestmark = [pytest.mark.needs(package="distributed"), pytest.mark.filterwarnings("ignore")]

TWELVE = (*PENGUINS, "--grid", "C=0.1,1,10", "--seeds", "1..4")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with all workspaces, which the workers cannot read."""
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def cluster(places: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Start a cluster of two workers, for tests that leave it as it is."""
    with dask_cluster(tmp_path_factory.mktemp("dask"), places) as running:
        yield running


@pytest.fixture
def place(places: Path) -> Path:
    """Return a new workspace with the penguins."""
    return with_penguins(places / f"w{len([*places.iterdir()])}")


def start(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", *arguments],
        cwd=folder,
        env={**real_environment(), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    process = start(folder, *arguments, environment=environment)
    out, err = process.communicate(timeout=3 * PATIENCE)
    return process.returncode, out, err


def check(folder: Path, runs: int) -> None:
    """Check that there are so many finished runs, each listed once, and that they verify.

    A run that was being written when its process was killed stays, without a result.
    """
    place = folder / ".runforge/runs"
    finished = [name for name in folders(folder) if (place / name / "result.json").exists()]
    assert sorted(listed(folder)) == finished
    assert len(finished) == runs
    if runs:
        code, out, err = run(folder, "verify", "--all")
        assert code == 0, out + err


def test_a_sweep_is_executed_by_the_workers(cluster: DaskCluster, place: Path) -> None:
    code, out, err = run(place, "sweep", *TWELVE, "--scheduler", cluster.address, "--json")
    assert code == 0, err
    document = json.loads(out)
    assert counts(document) == (12, 12, 0, 0)
    assert document["execution"]["scheduler"] == cluster.address
    assert document["execution"]["max_parallel"] == 2
    check(place, 12)
    for run_id in folders(place):
        text = (place / ".runforge/runs" / run_id / "run.json").read_text("utf-8")
        assert json.loads(text)["provenance"]["platform"]["host"]


def test_a_killed_sweep_is_resumed_without_a_run_lost_or_done_twice(
    cluster: DaskCluster, place: Path
) -> None:
    first = start(place, "sweep", *TWELVE, "--scheduler", cluster.address)
    runs = place / ".runforge/runs"
    wait_until(lambda: runs.is_dir() and len([*runs.iterdir()]) > 3, "no runs begin")
    time.sleep(random.random())
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    done = {
        entry.name: (entry / "result.json").stat().st_ino
        for entry in runs.iterdir()
        if (entry / "result.json").exists()
    }
    name = group(place)["group_id"]
    code, out, err = run(place, "sweep", "--resume", name, "--scheduler", cluster.address)
    assert code == 0, out + err
    assert counts(group(place)) == (12, 12, 0, 0)
    check(place, 12)
    assert {name: (runs / name / "result.json").stat().st_ino for name in done} == done
    wait_until(lambda: not cluster.sessions(), "a session is left")


def test_an_interrupt_ends_the_runs_on_the_workers(cluster: DaskCluster, place: Path) -> None:
    long = ("--model", "random_forest", "--param", "n_estimators=200000", "--seeds", "1..5")
    process = start(place, "sweep", *PENGUINS, *long, "--scheduler", cluster.address)
    runs = place / ".runforge/runs"
    wait_until(lambda: runs.is_dir() and len([*runs.iterdir()]) == 2, "no runs begin")
    wait_until(lambda: bool(cluster.sessions()), "no session begins")
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 5, out + err
    assert group(place)["status"] == "canceled"
    statuses = [member["status"] for member in group(place)["runs"]]
    # What did not arrive in time is to be run again, and nothing of it is left.
    assert set(statuses) <= {"canceled", "pending"}
    check(place, statuses.count("canceled"))
    wait_until(lambda: not cluster.sessions(), "a session is left")


def test_a_cluster_that_cannot_be_used_leaves_no_sweep(
    place: Path, places: Path, tmp_path: Path
) -> None:
    code, _, err = run(place, "sweep", *TWELVE, "--scheduler", "tcp://127.0.0.1:9")
    assert code == 3
    assert "error[SCHEDULER_UNREACHABLE]" in err
    code, _, err = run(place, "sweep", *TWELVE, "--allow-mixed")
    assert code == 2
    assert "error[USAGE_INVALID]" in err
    broken = tmp_path / "broken" / "runforge_engine"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ModuleNotFoundError('No module runforge_engine')")
    with dask_cluster(tmp_path / "dask", places, workers=0) as other:
        other.add_worker(variables={"PYTHONPATH": str(broken.parent)})
        code, _, err = run(place, "sweep", *TWELVE, "--scheduler", other.address)
    assert code == 1
    assert "error[WORKER_MISMATCH]" in err
    assert "worker-0" in err
    assert "No module runforge_engine" in err
    assert not (place / ".runforge").exists()


def test_a_cluster_with_tls_is_used_by_its_configuration(
    place: Path, places: Path, tmp_path: Path
) -> None:
    from distributed import Security

    temporary = Security.temporary()
    files = {}
    for name in ("tls_ca_file", "tls_scheduler_cert", "tls_scheduler_key"):
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_text(getattr(temporary, name))
    tls = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(files["tls_ca_file"])}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        for kind in ("cert", "key"):
            name = f"DASK_DISTRIBUTED__COMM__TLS__{role}__{kind.upper()}"
            tls[name] = str(files[f"tls_scheduler_{kind}"])
    with dask_cluster(
        tmp_path / "dask", places, workers=1, protocol="tls", variables=tls
    ) as secure:
        assert secure.address.startswith("tls://")
        options = ("sweep", *PENGUINS, "--seeds", "1..2", "--scheduler", secure.address)
        code, out, err = run(place, *options, environment=tls)
        assert code == 0, out + err
        check(place, 2)
        code, _, err = run(place, *options)
        assert code == 3
        assert "error[SCHEDULER_UNREACHABLE]" in err
