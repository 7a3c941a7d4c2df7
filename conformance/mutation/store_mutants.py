"""Executors and stores that leave something else than the reference client does.

Each spoils what the reference client left in a workspace, or what it answered. The digest of a
wrong value is right: a wrong executor knows what it wrote.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from recording import Recorded, as_answer, executor_cases, recorded, replay
from runforge_conformance.judging import judge
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import RunForgeError
from wrong_client import Killed, Mutant, told

Spoil = Callable[["Left"], None]
#: A file that may be absent, and whose digests would have to be put right, too.
_STATEMENT = "provenance.intoto.json"


class Left(NamedTuple):
    """What a client left: the workspace, the run in it, and the answer, which may be changed."""

    workspace: Path
    run: Path | None
    answer: dict[str, Any]

    @property
    def root(self) -> Path:
        """The store's root."""
        return self.workspace / ".runforge"

    @property
    def index(self) -> Path:
        """The store's index."""
        return self.root / "index.json"


class Replayer:
    """Judges what wrong executors and stores leave, from a recording of right ones."""

    def __init__(self, recording: Path) -> None:
        self._recorded = {one.case.id: one for one in recorded(recording, executor_cases())}
        self._scratch = tempfile.TemporaryDirectory()
        memory = Path("/dev/shm")
        if memory.is_dir():
            self._scratch = tempfile.TemporaryDirectory(dir=memory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def killed(self, mutant: Mutant) -> Killed | None:
        """Return the first case that the wrong client fails, or None."""
        ((_, _, spoil),) = mutant.patches()
        for case in mutant.cases():
            if case.id in self._recorded:
                found = self.failed(self._recorded[case.id], spoil)
                if found is not None:
                    return found
        return None

    def failed(self, one: Recorded, spoil: Spoil) -> Killed | None:
        """Return what a client fails in a case that spoils what was left, or None."""
        folder = Path(self._scratch.name) / "case"
        try:
            place, answer = replay(one, folder)
            named = answer.get("view", {}).get("run_dir")
            left = Left(place.workspace, place.workspace / named if named else None, answer)
            with contextlib.suppress(_Nothing):
                spoil(left)
                return told(one.case, judge(one.case, as_answer(left.answer), place))
            return None
        finally:
            for path in folder.rglob("*"):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() else 0o644)
            shutil.rmtree(folder, ignore_errors=True)


class _Nothing(Exception):  # noqa: N818 - not an error
    """There is nothing to spoil in this workspace."""


def store_mutants() -> Iterator[Mutant]:
    """Yield wrong executors and stores."""
    for kind, spoils, operations in (
        ("executor: files", _files(), ("execute",)),
        ("executor: facts", _facts(), ("execute",)),
        ("executor: index", _indexes(), ("execute",)),
        ("executor: answer", _ANSWERS, ("execute",)),
        ("store: list and trace", _LISTS, ("list", "trace")),
        ("store: rebuild", _REBUILDS, ("rebuild-index",)),
    ):
        for name, spoil in spoils.items():
            yield Mutant(
                kind,
                f"{kind.replace(': ', '/')}/{name}",
                lambda spoil=spoil: [(None, "spoil", spoil)],
                lambda operations=operations: _cases(operations),
            )


#: The most telling executions first; of the others, every refusal looks like the next one.
_FIRST = ("runs/complete/logistic-regression", "runs/complete/random-forest", "runs/store/")
_FIRST += ("runs/data/no-such-label", "runs/refused/version-2", "runs/complete/missing-values")
_FIRST += (
    "runs/complete/unknown-fields",
    "runs/cancel/",
    "runs/complete/exclude",
    "runs/configuration/profile-b",
)


def _cases(operations: tuple[str, ...]) -> Iterator[Any]:
    found = [case for case in executor_cases() if case.op in operations]
    if operations == ("execute",):
        found = [case for case in found if case.id.startswith(_FIRST)]
        found.sort(key=lambda case: next(n for n, p in enumerate(_FIRST) if case.id.startswith(p)))
    yield from found


def _run(left: Left) -> Path:
    if left.run is None or not left.run.is_dir():
        raise _Nothing
    return left.run


def _file(left: Left, name: str) -> Path:
    path = _run(left) / name
    if not path.is_file():
        raise _Nothing
    return path


def _load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _digest(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def sealed(run: Path, *, digests: bool = True) -> None:
    """Put right what the documents of a run say about its files."""
    manifest = _load(run / "manifest.json")
    (run / _STATEMENT).unlink(missing_ok=True)
    if (run / "result.json").exists():
        result = _load(run / "result.json")
        listed = [item for item in result.get("artifacts", ()) if item["path"] != _STATEMENT]
        for item in listed:
            if (run / item["path"]).is_file():
                item["bytes"] = (run / item["path"]).stat().st_size
        if "artifacts" in result:
            result["artifacts"] = listed
        (run / "result.json").write_bytes(encode_json(result))
    if (run / "run.json").exists() and digests:
        record = _load(run / "run.json")
        for file in record.get("artifact_digests", {}):
            if (run / file).is_file():
                record["artifact_digests"][file] = _digest(run / file)
        (run / "run.json").write_bytes(encode_json(record))
    files = {
        path.relative_to(run).as_posix(): _digest(path)
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    manifest["files"] = {
        file: files.get(file, before)
        for file, before in manifest["files"].items()
        if file != _STATEMENT
    }
    (run / "manifest.json").write_bytes(encode_json(manifest))


def _changed(file: str, change: Callable[[Any], None], *, digests: bool = True) -> Spoil:
    """Return what changes a document of the run and puts the digests right."""

    def spoil(left: Left) -> None:
        path = _file(left, file)
        document = _load(path)
        before = copy.deepcopy(document)
        try:
            change(document)
        except (KeyError, IndexError, TypeError):
            raise _Nothing from None
        if json.dumps(document) == json.dumps(before):
            raise _Nothing
        path.write_bytes(encode_json(document))
        sealed(_run(left), digests=digests)

    return spoil


_OF_A_RUN = (
    *("request.json", "result.json", "run.json", "metrics.json", "metrics.v1.json"),
    *("diagnostics.json", "manifest.json", "artifacts/model.pkl"),
    "artifacts/interpretability.index.v1.json",
    "artifacts/linear_coefficients.v1.json",
    "artifacts/feature_importance.v1.json",
)


def _files() -> dict[str, Spoil]:
    found: dict[str, Spoil] = {}

    def without(file: str, *, told_so: bool) -> Spoil:
        def spoil(left: Left) -> None:
            _file(left, file).unlink()
            run = _run(left)
            if told_so and file != "manifest.json":
                manifest = _load(run / "manifest.json")
                manifest["files"].pop(file, None)
                (run / "manifest.json").write_bytes(encode_json(manifest))
                if (run / "result.json").exists():
                    result = _load(run / "result.json")
                    result["artifacts"] = [a for a in result["artifacts"] if a["path"] != file]
                    (run / "result.json").write_bytes(encode_json(result))
                sealed(run)

        return spoil

    def does(change: Callable[[Path, Path], object], file: str) -> Spoil:
        def spoil(left: Left) -> None:
            change(_file(left, file), left.workspace)

        return spoil

    def linked(path: Path, workspace: Path) -> None:
        target = path.with_name(f"{path.name}.data")
        path.rename(target)
        path.symlink_to(target.name)

    def linked_outside(path: Path, workspace: Path) -> None:
        target = workspace / f"elsewhere-{path.name}"
        path.rename(target)
        path.symlink_to(target)

    for file in _OF_A_RUN:
        found[f"{file} left out"] = without(file, told_so=False)
        found[f"{file} left out everywhere"] = without(file, told_so=True)
        found[f"{file} empty"] = does(lambda path, _: path.write_bytes(b""), file)
        found[f"{file} cut off"] = does(
            lambda path, _: path.write_bytes(path.read_bytes()[:-10]), file
        )
        found[f"{file} a link"] = does(linked, file)
        found[f"{file} a link to outside"] = does(linked_outside, file)
        found[f"{file} a folder"] = does(lambda p, _: (p.unlink(), p.mkdir()), file)
        if file.endswith(".json"):
            found[f"{file} with byte order mark"] = does(
                lambda path, _: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()), file
            )
            found[f"{file} as an array"] = does(lambda path, _: path.write_bytes(b"[]\n"), file)
            found[f"{file} as an object"] = does(lambda path, _: path.write_bytes(b"{}\n"), file)

    def keeps(*files: str) -> Spoil:
        def spoil(left: Left) -> None:
            run = _run(left)
            for path in sorted(run.rglob("*"), reverse=True):
                name = path.relative_to(run).as_posix()
                if path.is_file() and name not in files:
                    path.unlink()
                elif path.is_dir() and not any(path.iterdir()):
                    path.rmdir()

        return spoil

    found["request and result alone"] = keeps("request.json", "result.json")
    found["request, result and record alone"] = keeps("request.json", "result.json", "run.json")
    found["model alone"] = keeps("artifacts/model.pkl")
    found["nothing"] = keeps()

    def stray(where: Callable[[Left], Path]) -> Spoil:
        def spoil(left: Left) -> None:
            path = where(left)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"left\n")

        return spoil

    found["stray in the run"] = stray(lambda left: _run(left) / "notes.txt")
    found["stray among the artifacts"] = stray(lambda left: _run(left) / "artifacts/model.tmp")
    found["hidden stray in the run"] = stray(lambda left: _run(left) / ".model.swp")
    found["stray in a new folder of the run"] = stray(lambda left: _run(left) / "cache/x")
    found["stray in the workspace"] = stray(lambda left: left.workspace / "model.pkl")
    found["stray in a folder of the workspace"] = stray(lambda left: left.workspace / "out/x")
    found["stray beside the dataset"] = stray(lambda left: left.workspace / "data/cache.npy")
    found["stray in the store"] = stray(lambda left: left.root / "state.db")
    found["stray among the runs"] = stray(lambda left: left.root / "runs/latest.txt")
    found["another run"] = stray(
        lambda left: left.root / "runs/20200101-000000-00000000/request.json"
    )

    def dataset(change: Callable[[Path], object]) -> Spoil:
        def spoil(left: Left) -> None:
            for path in sorted((left.workspace / "data").glob("*.csv")):
                change(path)
                return
            raise _Nothing

        return spoil

    found["dataset written anew"] = dataset(lambda p: p.write_bytes(p.read_bytes() + b"\n"))
    found["dataset removed"] = dataset(lambda path: path.unlink())
    found["dataset's mode changed"] = dataset(lambda path: path.chmod(0o600))

    def inputs(left: Left) -> None:
        path = left.workspace.parent / "input.json"
        path.write_bytes(path.read_bytes() + b"\n")

    found["request that was given written anew"] = inputs
    return found


def _request(change: Callable[[Any], None]) -> Spoil:
    return _changed("request.json", change)


def _put(pointer: str, value: Any) -> Callable[[Any], None]:
    """Return what sets a value that is there; a function gives it from the old one."""

    def change(document: Any) -> None:
        *parts, last = [int(p) if p.isdigit() else p for p in pointer.strip("/").split("/")]
        for part in parts:
            document = document[part]
        old = document[last]
        document[last] = value(old) if callable(value) else value

    return change


def _drop(pointer: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *parts, last = [int(p) if p.isdigit() else p for p in pointer.strip("/").split("/")]
        for part in parts:
            document = document[part]
        del document[last]

    return change


def _more(old: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return old + 1
    if isinstance(old, float):
        return old / 2 + 0.01
    if isinstance(old, str):
        return old[:-1] + ("0" if old[-1] != "0" else "1")
    return old[::-1] if isinstance(old, list) and len(old) > 1 else [*old, *old]


#: What each document says that another file says, too.
_FACTS: dict[str, tuple[str, ...]] = {
    "run.json": (
        *("run_id", "dataset/path", "dataset/fingerprint_sha256", "label_column", "num_samples"),
        *("num_features", "dropped_rows_missing_values", "seed", "classes", "feature_names"),
        *("split/train_rows", "split/validation_rows", "metrics/accuracy", "metrics/num_samples"),
        *("metrics/num_features", "hyperparameters/0/value", "artifacts/model_pkl"),
        *("metrics_v1/artifact_path", "interpretability_index_artifact"),
        *("artifacts/metrics_v1_json", "artifacts/interpretability_index_json"),
    ),
    "result.json": (
        *("run_id", "summary/primary_metric/value", "summary/metrics/accuracy"),
        *("summary/metrics/f1_score", "summary/metrics/precision", "summary/metrics/recall"),
        *("effective_config/dataset/fingerprint_sha256", "effective_config/seed"),
        *("effective_config/dataset/path", "effective_config/dataset/label_column"),
        *("effective_config/model/hyperparameters/C", "artifacts/0/path"),
    ),
    "metrics.json": ("accuracy", "num_samples", "num_features"),
    "metrics.v1.json": (
        *("num_classes", "accuracy", "precision_macro", "recall_macro", "f1_macro"),
        *("confusion_matrix", "confusion_matrix/0/0"),
    ),
    "diagnostics.json": ("run_id",),
    "manifest.json": ("run_id",),
    "artifacts/interpretability.index.v1.json": (
        *("run_id", "created_at", "runforge_version"),
        "available_artifacts/metrics_v1/summary/accuracy",
        "available_artifacts/metrics_v1/path",
        "available_artifacts/linear_coefficients_v1/summary/num_classes",
        "available_artifacts/linear_coefficients_v1/summary/top_k_by_class/0/top_features",
        "available_artifacts/feature_importance_v1/summary/top_k",
    ),
    "artifacts/linear_coefficients.v1.json": (
        *("num_features", "num_classes", "classes", "coefficients_by_class/0/features"),
        *("coefficients_by_class/0/features/0/rank", "top_k_by_class/0/top_features"),
        *("coefficients_by_class/0/features/0/abs_coefficient",),
        *("coefficients_by_class/0/features/0/name",),
    ),
    "artifacts/feature_importance.v1.json": (
        *("num_features", "features_by_importance", "features_by_importance/0/rank", "top_k"),
        *("features_by_original_order", "features_by_original_order/0/index"),
        *("features_by_importance/0/importance", "features_by_importance/0/name"),
    ),
}
#: Words that have another meaning, and members that must not go.
_WORDS: dict[str, dict[str, Any]] = {
    "run.json": {
        "status": "failed",
        "preset": "thorough",
        "model_family": lambda old: "linear_svc" if old != "linear_svc" else "random_forest",
        "schema_version": "run.v0.3.6",
        "device/type": "gpu",
        "metrics_v1/metrics_profile": "classification.multiclass.v1",
        "hyperparameters/0/source": "cli",
        "hyperparameters": lambda old: old[1:],
    },
    "result.json": {
        "status": "failed",
        "effective_config/preset": "thorough",
        "effective_config/model/family": "linear_svc",
        "effective_config/device/type": "gpu",
        "summary/primary_metric/name": "f1_score",
        "started_at": "2030-01-01T00:00:00Z",
        "finished_at": "2001-01-01T00:00:00Z",
        "duration_ms": lambda old: old + 3_600_000,
        "version": 2,
    },
    "metrics.v1.json": {"metrics_profile": "classification.multiclass.v1"},
    "diagnostics.json": {
        "diagnostics": [
            {
                "code": "MISSING_VALUES_DROPPED",
                "severity": "warning",
                "message": "9 rows with missing values were dropped.",
                "details": {"rows_dropped": 9},
            }
        ]
    },
}


def _facts() -> dict[str, Spoil]:
    found: dict[str, Spoil] = {}
    for file, members in _FACTS.items():
        for member in members:
            found[f"{file}: {member} wrong"] = _changed(
                file, _put(member, _more), digests=not member.startswith("artifact_digests")
            )
    for file, words in _WORDS.items():
        for member, value in words.items():
            found[f"{file}: {member} another"] = _changed(file, _put(member, value))
    for member in ("artifact_digests", "provenance", "split", "classes", "seed", "hyperparameters"):
        found[f"run.json: {member} absent"] = _changed("run.json", _drop(member))
    for member in ("summary", "effective_config", "artifacts"):
        found[f"result.json: {member} absent"] = _changed("result.json", _drop(member))

    def model(left: Left) -> None:
        path = _file(left, "artifacts/model.pkl")
        path.write_bytes(path.read_bytes() + b"\0")

    found["model longer than its digest"] = model

    def digests(left: Left) -> None:
        run = _run(left)
        record = _load(_file(left, "run.json"))
        for entry in record["artifact_digests"].values():
            entry["sha256"] = "0" * 64
        (run / "run.json").write_bytes(encode_json(record))
        sealed(run, digests=False)

    found["digests of the record wrong"] = digests

    def manifest(change: Callable[[dict[str, Any]], object]) -> Spoil:
        def spoil(left: Left) -> None:
            path = _file(left, "manifest.json")
            document = _load(path)
            change(document["files"])
            path.write_bytes(encode_json(document))

        return spoil

    found["manifest without a file"] = manifest(lambda files: files.pop("result.json", None))
    found["manifest with a file too much"] = manifest(
        lambda files: files.update({"zzz.txt": {"sha256": "0" * 64, "bytes": 1}})
    )
    found["manifest with a wrong size"] = manifest(
        lambda files: files["request.json"].update(bytes=1)
    )
    found["manifest with a wrong digest"] = manifest(
        lambda files: files["request.json"].update(sha256="0" * 64)
    )
    found["manifest with itself"] = manifest(
        lambda files: files.update({"manifest.json": {"sha256": "0" * 64, "bytes": 1}})
    )
    for name, change in {
        "request with defaults": lambda d: d.update(seed=d.get("seed", 42) + 0, tags=["trained"]),
        "request with another name": lambda d: d.update(name="renamed"),
        "request without unknown fields": lambda d: [
            d.pop(key) for key in [*d] if key not in _REQUEST
        ],
        "request without null": lambda d: [d.pop(k) for k in [*d] if d[k] is None],
        "request signed by the executor": lambda d: d.update(created_by="executor@1.0"),
    }.items():
        found[name] = _request(change)

    def log(change: Callable[[list[str]], list[str]]) -> Spoil:
        def spoil(left: Left) -> None:
            path = _file(left, "logs/events.jsonl")
            lines = change(path.read_text("utf-8").splitlines())
            path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
            sealed(_run(left))

        return spoil

    found["events turned round"] = log(lambda lines: lines[::-1])
    found["events without the first"] = log(lambda lines: lines[1:])
    found["first event twice"] = log(lambda lines: [lines[0], *lines])
    found["events of another run"] = log(
        lambda lines: [line.replace('"run_id": "2', '"run_id": "1') for line in lines]
    )
    found["event that is no event"] = log(lambda lines: [*lines, '{"event": "done"}'])
    found["event that is no JSON"] = log(lambda lines: [*lines, "done"])

    def form(change: Callable[[bytes], bytes], file: str) -> Spoil:
        def spoil(left: Left) -> None:
            path = _file(left, file)
            path.write_bytes(change(path.read_bytes()))
            data = path.read_bytes()
            sealed(_run(left))
            path.write_bytes(data) if file != "manifest.json" else None
            _resealed(_run(left))

        return spoil

    for file in ("result.json", "run.json", "metrics.v1.json", "diagnostics.json"):
        found[f"{file} on one line"] = form(lambda d: json.dumps(json.loads(d)).encode(), file)
        found[f"{file} with line ends of Windows"] = form(
            lambda data: data.replace(b"\n", b"\r\n"), file
        )
        found[f"{file} by the alphabet"] = form(
            lambda d: json.dumps(json.loads(d), indent=2, sort_keys=True).encode() + b"\n", file
        )
    return found


def _resealed(run: Path) -> None:
    """Put the manifest right, and nothing else."""
    manifest = _load(run / "manifest.json")
    manifest["files"] = {
        file: _digest(run / file) if (run / file).is_file() else before
        for file, before in manifest["files"].items()
    }
    (run / "manifest.json").write_bytes(encode_json(manifest))


_REQUEST = {
    *("$schema", "version", "preset", "profile", "dataset", "model", "device", "seed"),
    *("created_at", "created_by", "rerun_from", "name", "tags", "notes"),
}


def _indexed(change: Callable[[list[dict[str, Any]]], Any]) -> Spoil:
    """Return what changes the runs of an index."""

    def spoil(left: Left) -> None:
        if not left.index.exists():
            raise _Nothing
        document = _load(left.index)
        before = json.dumps(document)
        changed = change(document["runs"])
        document["runs"] = document["runs"] if changed is None else changed
        if json.dumps(document) == before:
            raise _Nothing
        left.index.write_bytes(encode_json(document))

    return spoil


def _several(change: Callable[[list[dict[str, Any]]], Any]) -> Spoil:
    def checked(runs: list[dict[str, Any]]) -> Any:
        if len(runs) < 2:
            raise _Nothing
        return change(runs)

    return _indexed(checked)


def _entry(pointer: str, value: Any) -> Spoil:
    def change(runs: list[dict[str, Any]]) -> None:
        try:
            _put(pointer, value)(runs[-1])
        except (KeyError, IndexError, TypeError):
            raise _Nothing from None

    return _indexed(change)


def _indexes() -> dict[str, Spoil]:
    found: dict[str, Spoil] = {
        "run not listed": _indexed(lambda runs: runs[:-1]),
        "run listed twice": _indexed(lambda runs: [*runs, runs[-1]]),
        "run listed first": _several(lambda runs: [runs[-1], *runs[:-1]]),
        "run listed before the last": _several(lambda r: [*r[:-2], r[-1], r[-2]]),
        "turned round": _several(lambda runs: runs[::-1]),
        "sorted by id": _several(lambda runs: sorted(runs, key=lambda run: run["run_id"][::-1])),
        "sorted by time, newest first": _several(
            lambda runs: sorted(runs, key=lambda run: run["created_at"], reverse=True)
        ),
        "old entries left out": _several(lambda runs: runs[-1:]),
        "oldest entry left out": _several(lambda runs: runs[1:]),
        "old entry changed": _several(lambda runs: runs[0].update(name="renamed")),
        "old entry completed": _several(lambda runs: runs[0].update(tags=[])),
        "unknown fields of old entries left out": _several(
            lambda runs: [
                {key: value for key, value in run.items() if key in runs[-1]} for run in runs
            ]
        ),
        "run of nobody listed": _indexed(
            lambda runs: [*runs, {**runs[-1], "run_id": "20200101-000000-00000000"}]
        ),
    }
    for member, value in {
        "run_id": _more,
        "created_at": "2001-01-01T00:00:00Z",
        "name": "another",
        "preset_id": "thorough",
        "status": lambda old: "failed" if old != "failed" else "succeeded",
        "summary/duration_ms": _more,
        "summary/final_metrics/accuracy": _more,
        "summary/device": "gpu",
        "run_dir": lambda old: f"{old}/run.json",
        "dataset_fingerprint_sha256": _more,
        "label_column": _more,
        "model_pkl": "model.pkl",
        "model_family": "linear_svc",
        "model_sha256": _more,
    }.items():
        found[f"{member} wrong"] = _entry(member, value)

    def absent(member: str) -> Spoil:
        def change(runs: list[dict[str, Any]]) -> None:
            if runs[-1].pop(member, None) is None:
                raise _Nothing

        return _indexed(change)

    for member in (
        *("run_id", "created_at", "name", "preset_id", "status", "summary", "run_dir"),
        *("dataset_fingerprint_sha256", "label_column", "model_pkl", "model_family"),
        "model_sha256",
    ):
        found[f"{member} absent"] = absent(member)

    def raw(change: Callable[[bytes], bytes | None]) -> Spoil:
        def spoil(left: Left) -> None:
            if not left.index.exists():
                raise _Nothing
            data = change(left.index.read_bytes())
            if data is None:
                left.index.unlink()
            else:
                left.index.write_bytes(data)

        return spoil

    found["no index"] = raw(lambda data: None)
    found["an array"] = raw(lambda data: encode_json(json.loads(data)["runs"]))
    found["of another version"] = raw(lambda data: data.replace(b'"index.v1"', b'"1.0.0"'))
    found["cut off"] = raw(lambda data: data[:-5])
    found["lines"] = raw(
        lambda d: b"".join(json.dumps(r).encode() + b"\n" for r in json.loads(d)["runs"])
    )
    found["in a link"] = lambda left: _linked_index(left)
    return found


def _linked_index(left: Left) -> None:
    if not left.index.exists():
        raise _Nothing
    target = left.index.with_name(".index.json.data")
    left.index.rename(target)
    left.index.symlink_to(target.name)


def _view(change: Callable[[dict[str, Any], Left], Any]) -> Spoil:
    def spoil(left: Left) -> None:
        view = left.answer.get("view")
        if not view:
            raise _Nothing
        before = json.dumps(view)
        try:
            change(view, left)
        except (KeyError, IndexError):
            raise _Nothing from None
        if json.dumps(view) == before:
            raise _Nothing

    return spoil


def _rejecting(left: Left) -> None:
    left.answer.clear()
    error = {"code": "RUN_FAILED", "message": "It failed."}
    left.answer.update({"outcome": "rejected", "error": error})


def _accepting(left: Left) -> None:
    if left.answer["outcome"] != "rejected":
        raise _Nothing
    left.answer.clear()
    left.answer.update({"outcome": "accepted", "view": {"status": "succeeded", "runs": []}})


def _claim(left: Left) -> None:
    shutil.rmtree(_run(left))


def _moved(left: Left) -> None:
    run = _run(left)
    other = run.with_name("20200101-000000-00000000")
    run.rename(other)
    left.answer["view"]["run_dir"] = str(other.relative_to(left.workspace))


_ANSWERS: dict[str, Spoil] = {
    "no run folder": _view(lambda view, left: view.pop("run_dir")),
    "empty run folder": _view(lambda view, left: view.update(run_dir="")),
    "the workspace as run folder": _view(lambda view, left: view.update(run_dir=".")),
    "the store as run folder": _view(lambda view, left: view.update(run_dir=".runforge")),
    "a run folder outside": _view(lambda view, left: view.update(run_dir="/tmp")),
    "a run folder that is not there": _view(lambda v, left: v.update(run_dir=f"{v['run_dir']}x")),
    "a file as run folder": _view(
        lambda view, left: view.update(run_dir=f"{view['run_dir']}/result.json")
    ),
    "an older run": _view(
        lambda view, left: view.update(
            run_dir=str(
                min(p for p in (left.root / "runs").iterdir() if p.is_dir()).relative_to(
                    left.workspace
                )
            )
        )
    ),
    "no status": _view(lambda view, left: view.pop("status")),
    "always succeeded": _view(lambda view, left: view.update(status="succeeded")),
    "always failed": _view(lambda view, left: view.update(status="failed")),
    "cancelled as failed": _view(
        lambda view, left: view["status"] == "cancelled" and view.update(status="failed")
    ),
    "refused though it ran": _rejecting,
    "ran though it is refused": _accepting,
    "no run": _claim,
    "run moved": _moved,
}


def _listed(change: Callable[[list[dict[str, Any]]], Any]) -> Spoil:
    def spoil(left: Left) -> None:
        runs = left.answer.get("view", {}).get("runs")
        if not runs:
            raise _Nothing
        before = json.dumps(runs)
        changed = change(runs)
        left.answer["view"]["runs"] = runs if changed is None else changed
        if json.dumps(left.answer["view"]["runs"]) == before:
            raise _Nothing

    return spoil


def _touching(change: Callable[[Left], object]) -> Spoil:
    def spoil(left: Left) -> None:
        change(left)

    return spoil


def _without(status: str) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda runs: [run for run in runs if run["status"] != status]


def _as(status: str, other: str) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda runs: [
        {**run, "status": other if run["status"] == status else run["status"]} for run in runs
    ]


_LISTS: dict[str, Spoil] = {
    "oldest first": _listed(lambda runs: runs[::-1]),
    "by status": _listed(lambda runs: sorted(runs, key=lambda run: run["status"])),
    "by the end of the id": _listed(lambda runs: sorted(runs, key=lambda r: r["run_id"][-8:])),
    "the newest alone": _listed(lambda runs: runs[:1]),
    "without the newest": _listed(lambda runs: runs[1:]),
    "without the oldest": _listed(lambda runs: runs[:-1]),
    "one twice": _listed(lambda runs: [*runs, runs[-1]]),
    "the first two exchanged": _listed(lambda runs: [*runs[1:2], *runs[:1], *runs[2:]]),
    "the last two exchanged": _listed(lambda runs: [*runs[:-2], *runs[-1:], *runs[-2:-1]]),
    "one too many": _listed(
        lambda runs: [*runs, {"run_id": "20200101-000000-00000000", "status": "succeeded"}]
    ),
    "without interrupted runs": _listed(_without("incomplete")),
    "interrupted runs as failed": _listed(_as("incomplete", "failed")),
    "interrupted runs as cancelled": _listed(_as("incomplete", "cancelled")),
    "interrupted runs as succeeded": _listed(_as("incomplete", "succeeded")),
    "interrupted runs as running": _listed(_as("incomplete", "running")),
    "without failed runs": _listed(_without("failed")),
    "without cancelled runs": _listed(_without("cancelled")),
    "failed runs as succeeded": _listed(_as("failed", "succeeded")),
    "cancelled runs as failed": _listed(_as("cancelled", "failed")),
    "all succeeded": _listed(lambda runs: [{**run, "status": "succeeded"} for run in runs]),
    "no status": _listed(lambda runs: [{"run_id": run["run_id"]} for run in runs]),
    "ids cut": _listed(lambda runs: [{**run, "run_id": run["run_id"][:15]} for run in runs]),
    "ids in capitals": _listed(lambda runs: [{**r, "run_id": r["run_id"].upper()} for r in runs]),
    "nothing": _listed(lambda runs: []),
    "no list": _view(lambda view, left: view.pop("runs")),
    "refused": _rejecting,
    "index written anew": _touching(
        lambda left: (
            left.index.write_bytes(left.index.read_bytes() + b"\n") if left.index.exists() else None
        )
    ),
    "index made": _touching(lambda left: (left.root / "cache.json").write_bytes(b"{}")),
    "a damaged index renamed": _touching(
        lambda left: (
            left.index.rename(left.index.with_name("index.json.corrupt"))
            if left.index.exists()
            else None
        )
    ),
    "an interrupted run removed": _touching(
        lambda left: [
            shutil.rmtree(path)
            for path in (left.root / "runs").glob("*")
            if path.is_dir() and not (path / "result.json").exists()
        ]
    ),
    "an interrupted run completed": _touching(
        lambda left: [
            (path / "result.json").write_bytes(b"{}")
            for path in (left.root / "runs").glob("*")
            if path.is_dir() and not (path / "result.json").exists()
        ]
    ),
}


def _before_rebuild(left: Left) -> None:
    left.index.unlink(missing_ok=True)


def _without_spare(left: Left) -> None:
    spare = [
        path
        for path in left.root.glob("*")
        if path.is_file() and path != left.index and path.name.startswith(("index", ".index"))
    ]
    spare = [path for path in spare if path.stat().st_size]
    if not spare:
        raise _Nothing
    for path in spare:
        path.unlink()


_REBUILDS: dict[str, Spoil] = {
    "no index": _before_rebuild,
    "empty index": _indexed(lambda runs: []),
    "without the newest": _indexed(lambda runs: runs[:-1]),
    "without the oldest": _indexed(lambda runs: runs[1:]),
    "turned round": _several(lambda runs: runs[::-1]),
    "one twice": _indexed(lambda runs: [*runs, *runs[:1]]),
    "interrupted run listed": _indexed(
        lambda runs: [*runs, {**runs[-1], "run_id": "20260302-100000-0badcafe"}]
    ),
    "without failed runs": _indexed(_without("failed")),
    "without cancelled runs": _indexed(_without("cancelled")),
    "failed runs as succeeded": _indexed(_as("failed", "succeeded")),
    "names of their folders": _indexed(
        lambda runs: [{**run, "name": run["run_id"]} for run in runs]
    ),
    "unknown fields left out": _indexed(
        lambda runs: [{k: v for k, v in run.items() if k in _ENTRY} for run in runs]
    ),
    "without models": _indexed(
        lambda runs: [{k: v for k, v in run.items() if "model" not in k} for run in runs]
    ),
    "without summaries": _indexed(
        lambda runs: [{k: v for k, v in run.items() if k != "summary"} for run in runs]
    ),
    "other durations": _indexed(
        lambda runs: [
            {**run, "summary": {**run["summary"], "duration_ms": 1}} if "summary" in run else run
            for run in runs
        ]
    ),
    "dated anew": _indexed(
        lambda runs: [{**run, "created_at": "2026-11-28T12:00:00Z"} for run in runs]
    ),
    "what could not be read thrown away": _without_spare,
    "run removed": _touching(lambda left: shutil.rmtree(min((left.root / "runs").glob("2*")))),
    "run changed": _touching(
        lambda left: (min((left.root / "runs").glob("2*")) / "result.json").write_bytes(b"{}")
    ),
    "run completed": _touching(
        lambda left: (min((left.root / "runs").glob("2*")) / "rebuilt.txt").write_bytes(b"")
    ),
    "stray left": _touching(lambda left: (left.workspace / "rebuild.log").write_bytes(b"x")),
    "refused": _rejecting,
}
_ENTRY = {
    *("run_id", "created_at", "name", "preset_id", "status", "summary", "run_dir"),
    *("dataset_fingerprint_sha256", "label_column", "model_pkl", "model_family", "model_sha256"),
}
__all__ = ["Replayer", "RunForgeError", "store_mutants"]
