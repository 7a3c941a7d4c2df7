"""Trainings that are killed, at every boundary of a system call or at any moment; what they leave.

    python kill_runs.py boundaries | large | sizes | moments [COUNT [STEP]]

By hand it goes on for hundreds; the tests ask for tens. Each training runs in a process that was
forked from this one, which has loaded everything. ``large`` is ``boundaries`` where the index is
grown as a large one is.
"""

from __future__ import annotations

from runforge_engine.runtime.numeric_environment import pin_environment

pin_environment()

import json  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from real_data import write_dataset  # noqa: E402
from runforge_contracts.invariants.store_invariants import check_store  # noqa: E402
from runforge_contracts.store.layout import RESULT, StoreLayout  # noqa: E402
from runforge_contracts.store.reading import list_runs, read_index  # noqa: E402
from runforge_engine.pipeline.execute import ExecutionResult, execute  # noqa: E402
from runforge_engine.pipeline.request import new_request  # noqa: E402
from runforge_engine.store import index_append  # noqa: E402
from runforge_engine.store.index_repair import check_index, rebuild_index  # noqa: E402

#: Audit events of the calls that change what lies on the disk, or open a file for it.
EVENTS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.truncate", "os.chmod"}


def train(store: StoreLayout) -> ExecutionResult:
    """Train on the iris in the store's workspace."""
    request = new_request(
        dataset=store.workspace / "iris.csv",
        label_column="target",
        store=store,
        created_by="tests@1",
        preset="fast",
    )
    return execute(request, store)


def at_boundary(store: StoreLayout, number: int) -> None:
    """Train, and be killed before the call ``number`` that touches the store, or after it."""
    seen, root, sync = [0], str(store.root), os.fsync

    def step() -> None:
        seen[0] += 1
        if seen[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and any(root in str(item) for item in arguments[:2]):
            step()

    def fsync(file: Any) -> None:
        sync(file)
        step()

    os.fsync = fsync
    sys.addaudithook(watch)
    train(store)


def at_size(store: StoreLayout, size: int) -> None:
    """Train, and be killed by the first file that grows beyond ``size`` bytes: it is torn there."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    train(store)


def in_process(work: Callable[[], object], *, kill_after: float | None = None) -> int:
    """Return how a process that did ``work`` ended: 0, or the number of a signal as negative."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def finished(store: StoreLayout) -> set[str]:
    """Return the runs that have a result."""
    return {path.parent.name for path in store.runs.glob(f"*/{RESULT}")}


def look(store: StoreLayout, before: set[str]) -> str:
    """Check the store after a kill, mend it, check again, and return what became of the run."""
    for path in [*store.runs.glob("*/*.json"), *store.runs.glob("*/artifacts/*.json")]:
        json.loads(path.read_bytes())  # a file has its name only when it is whole
    over = finished(store)
    listed = {entry["run_id"] for entry in read_index(store)}
    assert before <= listed, before - listed
    assert listed <= over, listed - over
    assert over <= {entry["run_id"] for entry in list_runs(store)}
    first = check_index(store)
    assert {finding.kind for finding in first.findings} <= {"entry_missing"}, first.findings
    assert set(first.unlisted) == over - listed
    rebuilt = rebuild_index(store)
    assert set(rebuilt.recovered) == over - listed
    assert not rebuilt.skipped, rebuilt.skipped
    assert not rebuild_index(store).recovered
    assert not check_index(store).findings
    assert {entry["run_id"] for entry in read_index(store)} == over
    others = {path.name for path in store.runs.iterdir()} - over
    assert set(rebuilt.interrupted) | set(rebuilt.incomplete) == others
    if over == before:
        return "interrupted" if others - SEEN else "nothing"
    return "recovered" if over - listed else "finished"


#: Runs that were interrupted before.
SEEN: set[str] = set()


def run(kind: str, count: int, step: int, workspace: Path) -> Counter[str]:
    """Kill trainings in one workspace and return what became of them."""
    write_dataset("iris", workspace)
    store = StoreLayout(workspace)
    if kind == "large":
        index_append.LARGE = 0
    for _ in range(3):
        train(store)
    assert in_process(partial(train, store)) == 0
    chance, outcomes, number = random.Random(0), Counter[str](), 0
    before = finished(store)
    largest = max(path.stat().st_size for path in store.runs.rglob("*.*"))
    while number < count:
        number += step
        if kind in ("boundaries", "large"):
            ended = in_process(partial(at_boundary, store, number))
        elif kind == "sizes":
            size = largest * number // count - 1
            ended = in_process(partial(at_size, store, max(size, 0)))
        else:
            # Measured each time: others use the machine, too.
            begun = time.monotonic()
            assert in_process(partial(train, store)) == 0
            lasts, before = time.monotonic() - begun, finished(store)
            ended = in_process(partial(train, store), kill_after=chance.uniform(0, 1.2 * lasts))
        assert ended in (0, -signal.SIGKILL, -signal.SIGXFSZ), ended
        outcomes[("killed, " if ended else "not killed, ") + look(store, before)] += 1
        before = finished(store)
        SEEN.update({path.name for path in store.runs.iterdir()} - before)
        if kind in ("boundaries", "large") and ended == 0:
            break
    assert in_process(partial(train, store)) == 0
    for finding in check_store(store):
        outcomes[f"finding {finding.rule}: {finding.message}"] += 1
    return outcomes


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        kind = sys.argv[1]
        count = int(sys.argv[2]) if len(sys.argv) > 2 else 10**6
        step = int(sys.argv[3]) if len(sys.argv) > 3 else 1
        print(json.dumps(run(kind, count, step, Path(folder)), indent=1))
