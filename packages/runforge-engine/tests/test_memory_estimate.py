"""A dataset larger than memory is refused before it is read, with the memory that it needs."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.data.dataset import load_dataset
from runforge_engine.data.dataset_source import read_source
from runforge_engine.modeling.configuration import Configuration, resolve
from runforge_engine.modeling.fit import dump_model, fit
from runforge_engine.pipeline.execute import execute, execute_folder
from runforge_engine.pipeline.memory_estimate import check_memory, footprint, look
from runforge_engine.pipeline.request import new_request
from runforge_engine.runtime.available_memory import VARIABLE, free_memory, size_text
from runforge_engine.runtime.cancellation import Cancellation
from tables import LABEL, write_table

GIB = 2**30
HEADER = "a,b,c,label\n"
LINES = "".join(f"{row}.25,{row % 7},{-row},{'xyz'[row % 3]}\n" for row in range(20_000))


def configure(family: str = "logistic_regression", **hyperparameters: Any) -> Configuration:
    return resolve(
        family=family, preset="balanced", profile=None, hyperparameters=hyperparameters, seed=1
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(HEADER + LINES)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Return a table of four tebibytes, nearly all of it a hole."""
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write((HEADER + LINES).encode())
        try:
            file.truncate(2**42)
        except OSError:
            pytest.skip("the file system has no files of that size")
    return path


def requested(path: Path, workspace: Path) -> Any:
    return new_request(
        dataset=path, label_column="label", store=StoreLayout(workspace), created_by="tests@1"
    )


def test_a_table_larger_than_any_machine_is_refused_before_it_is_read(
    endless: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunForgeError) as caught:
        execute(requested(endless, tmp_path), StoreLayout(tmp_path))
    error = caught.value
    assert error.code is ErrorCode.MEMORY_INSUFFICIENT
    assert re.search(r"takes about [0-9.,]+ TiB of memory", error.message)
    assert re.search(r"about [0-9,]+ rows of 3 features; [0-9.]+ [KMG]iB are free", error.message)
    assert error.hint is not None
    assert VARIABLE in error.hint
    assert not (tmp_path / ".runforge/runs").exists()


def test_a_client_that_waits_for_a_result_gets_one(endless: Path, tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    folder = store.run_folder("20260201-120000-abc12345")
    folder.mkdir(parents=True)
    (folder / "request.json").write_bytes(requested(endless, tmp_path).document.encode())
    outcome = execute_folder(folder, store)
    assert outcome.status == "failed"
    result = json.loads((folder / "result.json").read_bytes())
    assert result["error"]["code"] == "MEMORY_INSUFFICIENT"


def test_a_limit_in_the_environment_stands_for_what_is_free(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "100M")
    with pytest.raises(RunForgeError) as caught:
        check_memory(table, "label", (), configure())
    assert caught.value.code is ErrorCode.MEMORY_INSUFFICIENT
    assert "100 MiB are free" in caught.value.message
    for enough in ("0", "1T", "4 GiB"):
        monkeypatch.setenv(VARIABLE, enough)
        check_memory(table, "label", (), configure())


@pytest.mark.parametrize("text", ["", "much", "-1", "1.5G", "1P", "1" * 30])
def test_a_limit_that_is_no_size_is_a_usage_error(text: str) -> None:
    with pytest.raises(RunForgeError) as caught:
        free_memory({VARIABLE: text})
    assert caught.value.code is ErrorCode.USAGE_INVALID


def test_the_limit_of_a_process_counts(table: Path) -> None:
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from runforge_contracts.errors import RunForgeError\n"
        "from runforge_engine.modeling.configuration import resolve\n"
        "from runforge_engine.pipeline.memory_estimate import check_memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (150 * 2**20, resource.RLIM_INFINITY))\n"
        "configuration = resolve(family='linear_svc', preset='fast', profile=None,\n"
        "    hyperparameters={}, seed=1)\n"
        "try:\n"
        "    check_memory(Path(sys.argv[1]), 'label', (), configuration)\n"
        "except RunForgeError as error:\n"
        "    print(error.code)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", program, str(table)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "MEMORY_INSUFFICIENT\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\n"}
FREE: dict[str, tuple[dict[str, str], int | None]] = {
    "a system that does not tell": ({}, None),
    "no groups": (MEMINFO, 8 * GIB),
    "a group without a limit": (
        {
            "proc/self/cgroup": "0::/a\n",
            "sys/fs/cgroup/a/memory.max": "max\n",
            "sys/fs/cgroup/a/memory.current": "1\n",
        },
        8 * GIB,
    ),
    "the group above has the lower limit": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/memory.max": f"{3 * GIB}\n",
            "sys/fs/cgroup/a/memory.current": f"{2 * GIB}\n",
            "sys/fs/cgroup/a/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
            "sys/fs/cgroup/a/b/memory.max": f"{4 * GIB}\n",
            "sys/fs/cgroup/a/b/memory.current": "0\n",
        },
        GIB + GIB // 2,
    ),
    "a container": (
        {
            "proc/self/cgroup": "0::/../../elsewhere\n",
            "sys/fs/cgroup/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/memory.current": f"{GIB}\n",
        },
        GIB,
    ),
    "an older kernel": (
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a\n0::/\n",
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": f"{2 * GIB}\n",
            "sys/fs/cgroup/memory/a/memory.usage_in_bytes": f"{2 * GIB}\n",
            "sys/fs/cgroup/memory/a/memory.stat": f"total_inactive_file {GIB}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n",
        },
        GIB,
    ),
    "nothing left": (
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "5\n",
            "sys/fs/cgroup/memory.current": "9\n",
        },
        0,
    ),
}


@pytest.mark.parametrize(("files", "free"), FREE.values(), ids=FREE)
def test_the_narrowest_limit_decides(
    files: dict[str, str], free: int | None, tmp_path: Path
) -> None:
    root = write(tmp_path, {**(MEMINFO if files else {}), **files})
    assert free_memory({}, root) == free


def test_this_machine_tells_what_is_free() -> None:
    free = free_memory({})
    assert free is None or free > 2**20


def test_size_and_shape_of_a_table_are_seen_from_outside(table: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    packed = tmp_path / "data.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    columns = tmp_path / "data.parquet"
    names = HEADER.strip().split(",")
    parquet.write_table(pa.table({name: [1, 2] * 10_000 for name in names}), columns)
    for path in (table, packed, columns):
        shape = look(path, "label", ["b"])
        assert shape is not None
        assert shape.features == 2
        assert abs(shape.rows - 20_000) < 1_000
    text = table.stat().st_size
    shapes = [look(path, "label", ()) for path in (table, packed)]
    assert [shape.classes for shape in shapes if shape] == [3, 3]
    assert [shape.size for shape in shapes if shape] == [text, packed.stat().st_size + text]


def test_lines_longer_than_a_sample_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    header = ",".join(f"feature_{number}" for number in range(20_000))
    path.write_text(f"{header},label\n" + f"{'0.5,' * 20_000}x\n" * 5)
    shape = look(path, "label", ())
    assert shape is not None
    assert (shape.features, shape.classes) == (20_000, 1)
    assert 3 <= shape.rows <= 7


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"label",
        b"label\n",
        b"a,b\n1,2\n",
        b"\x1f\x8b\x08",
        b"PAR1",
        b"\xff" * 99,
        b'"',
    ],
    ids=repr,
)
def test_what_cannot_be_judged_is_left_to_the_reader(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(data)
    check_memory(path, "label", (), configure())
    check_memory(tmp_path, "label", (), configure())
    check_memory(tmp_path / "absent", "label", (), configure())
    os.mkfifo(tmp_path / "pipe")
    check_memory(tmp_path / "pipe", "label", (), configure())


def test_a_larger_table_and_a_larger_model_take_more(table: Path) -> None:
    shape = look(table, "label", ())
    assert shape is not None
    trees = [footprint(shape, configure("random_forest", n_estimators=n)) for n in (10, 10_000)]
    assert trees[0] < trees[1]
    flat = footprint(shape, configure("random_forest", n_estimators=10_000, max_depth=2))
    assert flat < trees[1]
    for family in ("logistic_regression", "linear_svc"):
        assert footprint(shape, configure(family)) < 250 * 2**20


@pytest.mark.parametrize("classes", [2, 20])
def test_the_estimate_for_a_forest_follows_the_size_of_its_model(
    classes: int, tmp_path: Path
) -> None:
    table = write_table(tmp_path / "data.csv", 4_000, 6, classes)
    dataset = load_dataset(read_source(table), LABEL)
    shape = look(table, LABEL, ())
    assert shape is not None
    configuration = configure("random_forest", n_estimators=10)
    fitted = fit(
        configuration,
        dataset.X,
        dataset.y,
        progress=lambda *_: None,
        cancellation=Cancellation(),
    )
    model = len(dump_model(fitted.pipeline, dataset.feature_names))
    large, larger = (
        footprint(shape, configure("random_forest", n_estimators=n)) for n in (1_000, 1_010)
    )
    # The trees, and the file that is made of them.
    assert larger - large == pytest.approx(2 * model, rel=0.5)


def test_sizes_are_formatted_for_display() -> None:
    told = [size_text(size) for size in (0, 1023, 2048, 5 * 2**20, 1.5 * 2**30, 3 * 2**40)]
    assert told == ["0 bytes", "1023 bytes", "2 KiB", "5 MiB", "1.5 GiB", "3.0 TiB"]
