"""What a store of many real runs costs to verify, to trace, to list, to check and to export.

    python benchmarks/large_store.py [--sizes N ...] [--listed N] [--rounds N] [--only TEXT]
                                     [--before PYTHON]

A few runs are trained, and copied with ids and digests of their own: ``verify --all`` finds nothing
in what comes of it. The commands that read only the index are measured with an index of
``--listed`` entries, too; 0 leaves that out. All take turns with a bare Python and, with
``--before``, with the commands of another version, which is installed beside that Python and has
such a store of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pairing import Command, Cost, Spread, cost, python, ratio, runforge, spread
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_store_index
from tables import LABEL, write_iris

SIZES = (100, 1_000, 10_000)
LISTED = 100_000
DATASET = "iris.csv"
#: Runs are copies of these, by their options, with and without a tag.
TRAINED = (
    ("--model", "logistic_regression"),
    ("--model", "random_forest", "--param", "n_estimators=10"),
    ("--model", "linear_svc"),
)
#: One run in a hundred has it.
TAG = "kept"
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
#: Documents with digests of others, in the order in which they are written.
_LAST = (layout.RUN, layout.RESULT, layout.STATEMENT, layout.MANIFEST)
#: A store of more runs is not exported.
_EXPORTED = 1_000
#: So many runs are compared in a report.
_REPORTED = 100
#: A command that takes longer is called once, in seconds.
_SLOW = 5


@dataclass(frozen=True)
class LargeStore:
    """A store of many runs, and what commands name of it."""

    workspace: Path
    runs: int
    #: A run of which the whole folder is there, and the digest of its model.
    run_id: str
    model: str


@dataclass(frozen=True)
class Task:
    """A command, and the most that it may take; ``arguments`` makes it for a store."""

    name: str
    arguments: Callable[[LargeStore], Sequence[object]]
    #: Of a store of so many runs: seconds, times a bare Python, and bytes.
    at: int = 10_000
    seconds: float | None = None
    times: float | None = None
    memory: float | None = None
    #: Whether it reads only the index.
    lists: bool = False
    #: What is done before each call.
    before: Callable[[LargeStore], None] = lambda store: None
    #: How the command is called.
    program: Callable[..., Command] = runforge
    #: Most runs that it is called with.
    most: int | None = None


@dataclass(frozen=True)
class Measurement:
    """What a command took with a store of some size."""

    task: Task
    runs: int
    costs: Sequence[Cost]
    bare: Sequence[Cost]
    #: Of another version; none if it lacks the command.
    before: Sequence[Cost] = ()

    def verdicts(self) -> Iterator[tuple[float, float, str]]:
        """Yield what was found for each bar, the bar, and the unit of both."""
        if self.runs != self.task.at:
            return
        taken, times = spread(self.costs).median, ratio(self.costs, self.bare).median
        memory = spread(self.costs, "memory").median
        for found, bar, unit in (
            (taken, self.task.seconds, "s"),
            (times, self.task.times, "times a bare Python"),
            (memory / 2**20, self.task.memory, "MiB"),
        ):
            if bar is not None:
                yield found, bar, unit

    def failures(self) -> Iterator[str]:
        """Yield a sentence for each bar that is not met."""
        for found, bar, unit in self.verdicts():
            if found > bar:
                yield (
                    f"`{self.task.name}` with {self.runs:,} runs: {found:.1f} {unit} against"
                    f" {bar:g}; {spread(self.costs, 'processor').median:.1f} s of processor time"
                )


def copy_run(source: Path, target: Path) -> None:
    """Copy a run folder under another id of the same length, with the digests that follow."""
    files = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    digests = dict[str, str]()
    for name in sorted(files, key=lambda name: _LAST.index(name) if name in _LAST else -1):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = (source / name).read_bytes()
        if name.endswith(".pkl"):
            path.write_bytes(before)
            continue
        text = renamed(before.decode(), source.name, target.name)
        for was, now in digests.items():
            text = text.replace(was, now)
        after = text.encode()
        path.write_bytes(after)
        if before != after:
            digests[_sha256(before)] = _sha256(after)


def renamed(text: str, old: str, new: str) -> str:
    """Return the text of a document with another run id, and the day that the id names."""
    day, another = (f"{name[:4]}-{name[4:6]}-{name[6:8]}" for name in (old, new))
    return text.replace(old, new).replace(day, another)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def train_originals(workspace: Path, before: Path | None = None) -> list[Path]:
    """Train the runs that are copied, and return their folders: each without and with the tag.

    With ``before``, the version beside that Python trains them.
    """
    workspace.mkdir(parents=True)
    write_iris(workspace / DATASET)
    for options in TRAINED:
        arguments = ("train", DATASET, "--label", LABEL, *options, "--quiet")
        for tags in ((), ("--tag", TAG)):
            cost(installed(runforge(*arguments, *tags, folder=workspace), before))
    index = read_store_index(StoreLayout(workspace))
    assert index is not None
    return [StoreLayout(workspace).run_folder(entry["run_id"]) for entry in index.entries]


def make_store(
    originals: Sequence[Path], workspace: Path, size: int, *, whole: bool = True
) -> LargeStore:
    """Make a store of copies, a hundred a day; all folders but one are empty if not ``whole``."""
    store, source = StoreLayout(workspace), StoreLayout(originals[0].parents[2])
    store.runs.mkdir(parents=True)
    shutil.copy(source.workspace / DATASET, workspace)
    index = read_store_index(source)
    assert index is not None
    texts = {entry["run_id"]: json.dumps(entry) for entry in index.entries}
    entries = list[dict[str, Any]]()
    for number in range(size):
        original = originals[2 * (number % len(TRAINED)) + (number % 100 == 0)]
        day = BEGIN + timedelta(days=number // 100)
        run_id = f"{day:%Y%m%d}{original.name[8:15]}-{_sha256(str(number).encode())[:8]}"
        entries.append(json.loads(renamed(texts[original.name], original.name, run_id)))
        if whole or number == 0:
            copy_run(original, store.run_folder(run_id))
        else:
            store.run_folder(run_id).mkdir()
    first = entries[0]
    entries.sort(key=lambda entry: str(entry["run_id"])[:15])
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries}))
    return LargeStore(workspace, size, first["run_id"], first["model_sha256"])


def installed(command: Command, before: Path | None) -> Command:
    """Return the same call of what is installed beside another Python, if one is given."""
    if before is None:
        return command
    program, *arguments = command.arguments
    return replace(command, arguments=[before.with_name(Path(str(program)).name), *arguments])


def _without_index(store: LargeStore) -> None:
    StoreLayout(store.workspace).index.unlink(missing_ok=True)


def _without_export(store: LargeStore) -> None:
    shutil.rmtree(store.workspace / "mlruns", ignore_errors=True)


def _verify_quickly(store: LargeStore) -> None:
    cost(_with_own_cache("verify", "--all", "--quick", folder=store.workspace))


def _with_own_cache(*arguments: object, folder: Path) -> Command:
    environment = {"XDG_CACHE_HOME": str(folder.absolute() / ".cache")}
    return replace(runforge(*arguments, folder=folder), environment=environment)


def _some_runs(store: LargeStore) -> list[str]:
    return sorted(path.name for path in StoreLayout(store.workspace).runs.iterdir())[:_REPORTED]


def _conformance(*arguments: object, folder: Path) -> Command:
    return python("-m", "runforge_conformance", *arguments, folder=folder)


TASKS = (
    Task("verify --all", lambda store: ("verify", "--all"), seconds=25),
    Task(
        "verify --all --quick, again",
        lambda store: ("verify", "--all", "--quick"),
        seconds=2,
        before=_verify_quickly,
        program=_with_own_cache,
    ),
    Task(
        "index rebuild, empty index",
        lambda store: ("index", "rebuild"),
        seconds=4,
        before=_without_index,
    ),
    Task("index check", lambda store: ("index", "check"), seconds=2),
    Task("trace of the dataset", lambda store: ("trace", DATASET), seconds=0.5, memory=80),
    Task("trace of a model", lambda store: ("trace", store.model), seconds=1.5, memory=80),
    Task("check-store", lambda store: ("check-store", "."), seconds=20, program=_conformance),
    Task(
        "export --to mlflow",
        lambda store: ("export", "--to", "mlflow", "-o", "mlruns"),
        at=_EXPORTED,
        seconds=15,
        before=_without_export,
        most=_EXPORTED,
    ),
    Task(
        f"report of {_REPORTED} runs with curves",
        lambda store: ("report", *_some_runs(store), "--force", "-o", "report.html"),
        at=1_000,
        seconds=4,
    ),
    Task("runs", lambda store: ("runs",), times=6, lists=True),
    Task(
        "runs --json, all",
        lambda store: ("runs", "--json", "--limit", store.runs),
        seconds=0.6,
        lists=True,
    ),
    Task(
        "runs --json --tag",
        lambda store: ("runs", "--json", "--tag", TAG, "--limit", store.runs),
        seconds=0.4,
        lists=True,
    ),
    Task("show PREFIX", lambda store: ("show", store.run_id[:-3]), times=12, lists=True),
)


def measure(
    folder: Path,
    sizes: Sequence[int] = SIZES,
    listed: int = LISTED,
    rounds: int = 3,
    only: str = "",
    before: Path | None = None,
) -> Iterator[Measurement]:
    """Yield what each command took, the small stores first."""
    versions = {"now": None, "before": before} if before else {"now": None}
    originals = {
        name: train_originals(folder / name / "trained", python)
        for name, python in versions.items()
    }
    for size, whole in [*((size, True) for size in sizes), *([(listed, False)] if listed else [])]:
        stores = [
            make_store(originals[name], folder / name / f"{size}-{whole}", size, whole=whole)
            for name in versions
        ]
        for task in TASKS:
            if only in task.name and _is_possible(task, stores[0], whole=whole):
                yield _measured(task, stores, [*versions.values()], rounds)
        for store in stores:
            shutil.rmtree(store.workspace)


def _is_possible(task: Task, store: LargeStore, *, whole: bool) -> bool:
    if "mlflow" in task.name and find_spec("mlflow") is None:
        return False
    return (whole or task.lists) and (task.most is None or store.runs <= task.most)


def _measured(
    task: Task, stores: Sequence[LargeStore], versions: Sequence[Path | None], rounds: int
) -> Measurement:
    """Measure in turns with a bare Python; one round is enough for what is slow."""
    costs = [list[Cost]() for _ in stores]
    bare = list[Cost]()
    for number in range(-1, rounds):
        taken = [
            cost_of(task, store, version) for store, version in zip(stores, versions, strict=True)
        ]
        beside, now = cost(python("-c", "pass")), taken[0]
        assert now is not None
        if number >= 0 or now.seconds > _SLOW:
            bare.append(beside)
            for one, those in zip(taken, costs, strict=True):
                those.extend([] if one is None else [one])
        if number < 0 and now.seconds > _SLOW:
            break
    return Measurement(task, stores[0].runs, costs[0], bare, *costs[1:])


def cost_of(task: Task, store: LargeStore, version: Path | None) -> Cost | None:
    """Return what a command takes; None if another version lacks it."""
    try:
        task.before(store)
        return cost(
            installed(task.program(*task.arguments(store), folder=store.workspace), version)
        )
    except subprocess.CalledProcessError:
        if version is None:
            raise
        return None


def table_of(found: Sequence[Measurement]) -> list[list[str]]:
    """Return the measurements as the rows of a table, the header first."""
    sizes = sorted({item.runs for item in found})
    by_name = {(item.task.name, item.runs): item for item in found}
    rows = [["", *(f"{size:,} runs" for size in sizes), "bar"]]
    for task in TASKS:
        cells = [_cell(by_name.get((task.name, size))) for size in sizes]
        if any(cells):
            rows.append([f"`{task.name}`", *cells, _bars(task)])
    return rows


def _cell(item: Measurement | None) -> str:
    if item is None:
        return ""
    memory = spread(item.costs, "memory").median / 2**20
    times: Spread = ratio(item.costs, item.bare)
    return f"{spread(item.costs).median:.2f} s (x{times.median:,.1f}), {memory:,.0f} MiB"


def _bars(task: Task) -> str:
    bars = [
        *([] if task.seconds is None else [f"{task.seconds:g} s"]),
        *([] if task.times is None else [f"x{task.times:g}"]),
        *([] if task.memory is None else [f"{task.memory:g} MiB"]),
    ]
    return f"{', '.join(bars)} at {task.at:,}"


def line(item: Measurement) -> str:
    """Return a measurement as a line."""
    processor = spread(item.costs, "processor").median
    text = f"{item.task.name:<28}{item.runs:>8,}  {_cell(item)}, processors {processor:.2f} s"
    if item.before:
        was = spread(item.before)
        memory = spread(item.before, "memory").median / 2**20
        text += f"; before {was.median:.2f} s, {memory:,.0f} MiB"
    return text


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--listed", type=int, default=LISTED)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only commands with this text")
    parser.add_argument("--before", type=Path, help="the Python of another version")
    options = parser.parse_args()
    before = options.before and options.before.absolute()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for item in measure(
            Path(folder), options.sizes, options.listed, options.rounds, options.only, before
        ):
            found.append(item)
            print(line(item), flush=True)
    for item in found:
        for failure in item.failures():
            print(f"not met: {failure}")


if __name__ == "__main__":
    main()
