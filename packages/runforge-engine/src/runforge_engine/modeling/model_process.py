"""Use a model in a separate process, so that a model that crashes it harms nothing else.

The recorded digest, the static reader and the list of allowed names are checked first, and no model
that passes them is known to do harm. But the libraries are native code that trusts its input, and a
store may come from anywhere. A failure ends only a process with bounded memory and time, and the
caller gets an error. The answer is JSON, because the output of a broken process is not trusted.

The module is also that process: ``python -P -m runforge_engine.modeling.model_process`` reads a
task from standard input and ends when that is closed. With ``several`` it reads one task after the
other, and does each in a copy of itself (:class:`ModelProcess`): the libraries are loaded once, and
a model still cannot reach what another one answers. The copy that computes the curves of several
runs reads their dataset once, and uses each model in a copy of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypedDict

import msgspec
from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.shared_work import usable_cores
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.system.system_processes import apart, signal_name

from runforge_engine.runtime.interpreter import own_command, own_environment
from runforge_engine.runtime.process_copies import (
    COPIES_PROCESSES,
    answer_in_copies,
    reply_of_copy,
    write_whole,
)

if TYPE_CHECKING:
    from runforge_engine.data.dataset import Dataset
    from runforge_engine.modeling.curves import Curves
    from runforge_engine.modeling.model_conversion import Comparison
    from runforge_engine.modeling.model_evaluation import ModelEvaluation
    from runforge_engine.modeling.predict import Prediction, RecordedModel
    from runforge_engine.modeling.revalidate import Replay


#: The argument of a process that does several tasks.
_SEVERAL = "several"
#: Most runs for which one copy reads the dataset, and most copies that do so at once.
_TOGETHER, _AT_ONCE = 10, 8


class _Reply(TypedDict):
    """What a process wrote, and the code that it ended with."""

    output: str
    code: int


def predict(model: RecordedModel, data: Path, *, probabilities: bool = False) -> Prediction:
    """Apply a model to the rows of the dataset at ``data``, in a separate process.

    Raises
    ------
    RunForgeError
        As :func:`runforge_engine.data.dataset_source.read_source` and
        :func:`runforge_engine.modeling.predict.predict`; ``FILE_UNSAFE`` where the model ended the
        process, ``MEMORY_INSUFFICIENT``.
    """
    from runforge_engine.modeling.predict import Prediction

    answer = _ask(
        {
            "do": "predict",
            "model": _model_to_dict(model),
            "data": str(data),
            "probabilities": probabilities,
        },
        model.path,
    )
    classes = answer["classes"]
    return Prediction(
        run_id=model.run_id,
        classes=None if classes is None else tuple(classes),
        values=tuple(answer["values"]),
        ignored_columns=tuple(answer["ignored_columns"]),
        missing_by_column=answer["missing_by_column"],
        warnings=tuple(answer["warnings"]),
        diagnostics=tuple(msgspec.convert(answer["diagnostics"], list[Diagnostic])),
    )


class ModelProcess:
    """A process that does several tasks, each in a copy of itself; it starts with the first one.

    Where the system cannot copy a process, or not safely, each task has a new process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def ask(self, task: dict[str, Any], model: Path) -> dict[str, Any]:
        """Return the answer to a task that uses a model, or raise the error that it answers with.

        Raises
        ------
        RunForgeError
            Also ``FILE_UNSAFE`` where the model ended its process, ``MEMORY_INSUFFICIENT``.
        """
        if not COPIES_PROCESSES:
            return _ask(task, model)
        [reply] = self.replies([task])
        return _answer_of(reply, model)

    def start(self) -> None:
        """Start to load the libraries, unless that was done before."""
        if COPIES_PROCESSES and self._process is None:
            self._process = _start(_SEVERAL)

    def replies(self, tasks: Sequence[dict[str, Any]], at_once: int = 1) -> Iterator[_Reply]:
        """Yield what the copy for each task wrote, and the code that it ended with, in order.

        Parameters
        ----------
        tasks
            The tasks.
        at_once
            How many are done at the same time.
        """
        if not tasks:
            return
        self.start()
        process = self._process
        assert process is not None  # noqa: S101 - just started
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        there, number = dict[int, _Reply](), 0
        try:
            process.stdin.write(json.dumps({"tasks": tasks, "at_once": at_once}).encode() + b"\n")
            process.stdin.flush()
            while number < len(tasks):
                while number not in there:
                    reply = json.loads(process.stdout.readline())
                    there[reply["number"]] = reply
                yield there.pop(number)
                number += 1
        except (BrokenPipeError, ValueError):
            code = self.end()
            for _ in range(number, len(tasks)):
                yield {"output": "", "code": code}

    def end(self) -> int:
        """End the process, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        _close_input(process)
        assert process.stdout is not None  # noqa: S101 - a pipe
        with process.stdout:
            process.stdout.read()
        return process.wait()


def evaluate(
    model: RecordedModel,
    data: Path,
    label_column: str,
    *,
    with_values: bool = True,
    process: ModelProcess | None = None,
) -> ModelEvaluation:
    """Evaluate a model on the labelled rows of the dataset at ``data``, in a separate process.

    Parameters
    ----------
    model
        The model.
    data
        Path of the dataset.
    label_column
        The column with the true labels.
    with_values
        Whether the examples of rows that are left out have the content of cells.
    process
        What does this task and others; None for a process of its own.

    Raises
    ------
    RunForgeError
        As :func:`runforge_engine.data.dataset_source.read_source` and
        :func:`runforge_engine.modeling.model_evaluation.evaluate_model`; ``FILE_UNSAFE`` where the
        model ended the process, ``MEMORY_INSUFFICIENT``.
    """
    from runforge_engine.modeling.model_evaluation import ModelEvaluation

    answer = (_ask if process is None else process.ask)(
        {
            "do": "evaluate",
            "model": _model_to_dict(model),
            "data": str(data),
            "label_column": label_column,
            "with_values": with_values,
        },
        model.path,
    )
    return msgspec.convert(answer, ModelEvaluation)


def replay(
    folder: Run, workspace: Path, listed: Iterable[tuple[dict[str, Any], StoreLayout]]
) -> Replay:
    """Do what :func:`runforge_engine.modeling.revalidate.replay` does, in a separate process.

    Raises
    ------
    RunForgeError
        As that does; ``FILE_UNSAFE`` where the model ended the process, ``MEMORY_INSUFFICIENT``.
    """
    import numpy as np

    from runforge_engine.modeling.revalidate import Replay, recorded_model

    model = recorded_model(folder, listed)
    answer = _ask(_replay_task("replay", folder, workspace, model), model.path)
    return Replay(
        classes=tuple(answer["classes"]),
        truth=np.array(answer["truth"], dtype=np.intp),
        predicted=np.array(answer["predicted"], dtype=np.intp),
        scores=np.array(answer["scores"], dtype=np.float64),
        kind=answer["kind"],
    )


def convert(
    form: str,
    folder: Run,
    workspace: Path,
    listed: Iterable[tuple[dict[str, Any], StoreLayout]],
    target: Path,
    stated: dict[str, Any],
) -> Comparison:
    """Write the model of a run in another format to a new file, in a separate process.

    Parameters are those of :func:`runforge_engine.modeling.model_conversion.convert_model`, and:

    Parameters
    ----------
    listed
        As for :func:`replay`.

    Raises
    ------
    RunForgeError
        As that function; ``EXTRA_MISSING``; ``ARTIFACT_NOT_FOUND`` where the run has no model, or
        its record is too old; ``FILE_UNSAFE`` where the model ended the process,
        ``MEMORY_INSUFFICIENT``.
    """
    from runforge_engine.modeling.model_conversion import Comparison, check_installed
    from runforge_engine.modeling.revalidate import recorded_model

    check_installed(form)
    model = recorded_model(folder, listed)
    task = _replay_task("convert", folder, workspace, model)
    return msgspec.convert(
        _ask({**task, "form": form, "target": str(target), "stated": stated}, model.path),
        Comparison,
    )


def curves_of_each(
    folders: Iterable[Run], workspace: Path, listed: Iterable[tuple[dict[str, Any], StoreLayout]]
) -> Iterator[Curves | RunForgeError]:
    """Yield the curves of the predictions that :func:`replay` gives, for each of several runs.

    A run without them has the error that :func:`replay` raises. Several are done at once, as many
    as there are cores.
    """
    from runforge_engine.modeling.revalidate import recorded_model

    runs, known, at_once = list(folders), list(listed), min(usable_cores(), _AT_ONCE)

    def task_of(folder: Run) -> dict[str, Any] | RunForgeError:
        try:
            model = recorded_model(folder, known)
            # The copies read the record themselves.
            return _replay_task("curves", folder, workspace, replace(model, record={}, recipe=None))
        except RunForgeError as error:
            return error

    if not COPIES_PROCESSES:
        with ThreadPoolExecutor(at_once, thread_name_prefix="runforge-curves") as pool:
            yield from pool.map(lambda folder: _curves_alone(task_of(folder)), runs)
        return
    with ModelProcess() as process:
        process.start()  # It loads the libraries meanwhile.
        tasks = [task_of(folder) for folder in runs]
        groups = list(_groups(runs, tasks))
        replies = process.replies([{"do": "each", "tasks": group} for group in groups], at_once)
        found = chain.from_iterable(map(_curves_of_group, groups, replies))
        for task in tasks:
            yield task if isinstance(task, RunForgeError) else next(found)


def _groups(
    runs: Sequence[Run], tasks: Sequence[dict[str, Any] | RunForgeError]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the tasks, those together that follow each other and need the same dataset."""
    from runforge_engine.modeling.revalidate import dataset_use

    pairs = [(run, task) for run, task in zip(runs, tasks, strict=True) if isinstance(task, dict)]
    for use, same in groupby(pairs, lambda pair: dataset_use(pair[0])):
        group = [task for _, task in same]
        size = 1 if use is None else _TOGETHER
        yield from (group[start : start + size] for start in range(0, len(group), size))


def _curves_of_group(
    group: Sequence[dict[str, Any]], reply: _Reply
) -> Iterator[Curves | RunForgeError]:
    """Yield the curves of runs that one copy answered for."""
    try:
        replies = json.loads(reply["output"])["replies"]
    except (ValueError, KeyError):
        # One of the models may have ended it: each gets a process of its own.
        yield from map(_curves_alone, group)
        return
    for task, own in zip(group, replies, strict=True):
        yield _curves_or_error(partial(_answer_of, own, Path(task["model"]["path"])))


def _curves_alone(task: dict[str, Any] | RunForgeError) -> Curves | RunForgeError:
    if isinstance(task, RunForgeError):
        return task
    return _curves_or_error(partial(_ask, task, Path(task["model"]["path"])))


def _curves_or_error(answer: Callable[[], dict[str, Any]]) -> Curves | RunForgeError:
    from runforge_engine.modeling.curves import Curves

    try:
        return msgspec.convert(answer(), Curves)
    except RunForgeError as error:
        return error


def _replay_task(do: str, folder: Run, workspace: Path, model: RecordedModel) -> dict[str, Any]:
    return {
        "do": do,
        "model": _model_to_dict(model),
        "folder": str(folder.path),
        "workspace": str(workspace),
    }


def _model_to_dict(model: RecordedModel) -> dict[str, Any]:
    return {**asdict(model), "path": str(model.path)}


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise RunForgeError(ErrorCode.INTERNAL, "sys.executable is not set.")
    return subprocess.Popen(
        own_command(__name__, *arguments),
        env=own_environment(os.environ, Path()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Output of the libraries, crash messages included.
        stderr=subprocess.DEVNULL,
        # Ctrl-C in the terminal is handled by the waiting process.
        **apart(),
    )


def _close_input(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - a pipe
    with suppress(BrokenPipeError):
        process.stdin.close()


def _ask(task: dict[str, Any], model: Path) -> dict[str, Any]:
    """Return the answer of a new process to a task, or raise the error that it answers with."""
    process = _start()
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
            output = process.stdout.read()
        except BrokenPipeError:
            output = b""
        # A process that was ended has closed its output; what is left of its end takes no time.
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        try:
            process.stdin.close()
        except BrokenPipeError:
            output = b""
    return _answer(output, code, model)


def _answer(output: bytes, code: int, model: Path) -> dict[str, Any]:
    """Return what a process answered that ended with a code, or raise the error that it is."""
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        raise _died(code, model) from None
    if "error" in answer:
        raise RunForgeError.from_dict(answer["error"])
    return answer


def _answer_of(reply: _Reply, model: Path) -> dict[str, Any]:
    return _answer(reply["output"].encode(), reply["code"], model)


def _died(code: int, model: Path) -> RunForgeError:
    """Return the error for a process that ended without an answer."""
    name = signal_name(code)
    if name == "SIGKILL":
        return RunForgeError(
            ErrorCode.MEMORY_INSUFFICIENT,
            "The process that used the model was killed (SIGKILL), most likely because the memory"
            " was used up.",
            hint="Use fewer rows at a time, or a machine with more memory.",
            path=str(model),
        )
    if name == "SIGXCPU":
        why = "took more processor time than such a model needs, and was ended (SIGXCPU)"
    elif name:
        why = f"crashed ({name})"
    else:
        why = f"ended with code {code} and without an answer"
    return RunForgeError(
        ErrorCode.FILE_UNSAFE,
        f"The process that used the model {quote(model, 200)} {why}.",
        hint="`runforge verify` shows whether the run was changed, and `runforge rerun` trains it"
        " again.",
        path=str(model),
    )


def main() -> None:
    """Do one task, or several, and write the answer to the original standard output."""
    answering = os.dup(1)
    os.dup2(2, 1)  # Output of the libraries is not part of the answer.
    if sys.argv[1:] == [_SEVERAL]:
        answer_in_copies(_load, _finish, answering)
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    _finish(task, answering)


def _load() -> None:
    """Load what all tasks need."""
    from runforge_engine.runtime.numeric_environment import pin_environment
    from runforge_engine.runtime.preload import load_now, own_process

    pin_environment()  # One thread, so that nothing is lost in the copies.
    own_process()
    import runforge_engine.modeling.model_evaluation  # noqa: F401 - for the copies

    load_now()
    _prepare_copies()


def _prepare_copies() -> None:
    """Do what each copy would do again: the copies have the caches and modules of this process."""
    import encodings.utf_32_le  # noqa: F401
    import gc

    import numpy as np
    import pyarrow.pandas_compat
    import pyarrow.vendored.version  # noqa: F401
    import threadpoolctl
    from runforge_contracts.documents import struct_of
    from runforge_contracts.schemas import validator, without_nulls
    from runforge_contracts.store import layout
    from runforge_contracts.store.run import SCHEMAS_BY_FILE

    from runforge_engine.modeling.curves import curves_of
    from runforge_engine.modeling.revalidate import Replay

    threadpoolctl.ThreadpoolController()
    for file in (layout.REQUEST, layout.RUN, layout.RESULT, layout.METRICS_V1):
        for name in SCHEMAS_BY_FILE[file]:
            struct_of(name)
        newest = SCHEMAS_BY_FILE[file][0]
        validator(newest)
        without_nulls({}, newest)
    # scikit-learn finds out once which other libraries there are, whatever the curves.
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    classes = np.array([0, 1, 1])
    curves_of(Replay((0, 1), classes, classes, scores, "probability"))
    # What is collected in a copy would be written there, and so copied.
    gc.collect()
    gc.freeze()
    gc.enable()


def _finish(task: dict[str, Any], answering: int, dataset: Dataset | None = None) -> NoReturn:
    """Do a task, write the answer, and end this process."""
    try:
        answer = _do_each(task["tasks"], answering) if task["do"] == "each" else _do(task, dataset)
    except RunForgeError as error:
        answer = {"error": error.to_dict()}
    except MemoryError:
        lack = RunForgeError(
            ErrorCode.MEMORY_INSUFFICIENT,
            "There is not enough memory to use the model on this dataset.",
            hint="Use fewer rows at a time, or a machine with more memory.",
        )
        answer = {"error": lack.to_dict()}
    except Exception as failure:  # noqa: BLE001 - the caller has no other way to learn of it
        text = f"{type(failure).__name__}: {failure}"
        bug = RunForgeError(ErrorCode.INTERNAL, f"Using the model failed: {quote(text, 300)}.")
        answer = {"error": bug.to_dict()}
    write_whole(answering, json.dumps(answer).encode())
    # Not to wait for what native code may have broken.
    os._exit(0)


def _end_with_the_caller() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _do_each(tasks: Sequence[dict[str, Any]], answering: int) -> dict[str, Any]:
    """Do tasks that need the same dataset, each in a copy of this process, which reads that."""
    from runforge_engine.modeling.revalidate import read_dataset
    from runforge_engine.runtime.resource_limits import confine

    confine()
    dataset = None
    if len(tasks) > 1:
        with suppress(Exception):  # Each of them finds out what is wrong.
            dataset = read_dataset(Run(Path(tasks[0]["folder"])), Path(tasks[0]["workspace"]))
    work = [partial(_finish, task, dataset=dataset) for task in tasks]
    return {"replies": [reply_of_copy(each, [answering]) for each in work]}


def _do(task: dict[str, Any], dataset: Dataset | None = None) -> dict[str, Any]:
    from runforge_engine.runtime.numeric_environment import pin_environment
    from runforge_engine.runtime.resource_limits import confine

    pin_environment()
    confine()
    from runforge_engine.modeling.model_names import ModelNames
    from runforge_engine.modeling.predict import RecordedModel

    given = task["model"]
    model = RecordedModel(
        **{**given, "path": Path(given["path"]), "names": ModelNames(**given["names"])}
    )
    if task["do"] == "convert":
        from runforge_engine.modeling.model_conversion import convert_model

        run, workspace, target = map(Path, (task["folder"], task["workspace"], task["target"]))
        form, stated = task["form"], task["stated"]
        return convert_model(form, Run(run), workspace, model, target, stated).to_dict()
    if task["do"] in ("replay", "curves"):
        from runforge_engine.modeling.revalidate import replay_model

        folder, workspace = Path(task["folder"]), Path(task["workspace"])
        replayed = replay_model(Run(folder), workspace, model, dataset)
        if task["do"] == "curves":
            from runforge_engine.modeling.curves import curves_of

            curves: dict[str, Any] = msgspec.to_builtins(curves_of(replayed))
            return curves
        arrays = {
            name: getattr(replayed, name).tolist() for name in ("truth", "predicted", "scores")
        }
        return {"classes": replayed.classes, "kind": replayed.kind, **arrays}
    from runforge_engine.data.dataset_source import read_source
    from runforge_engine.modeling import predict

    source = read_source(Path(task["data"]))
    if task["do"] == "evaluate":
        from runforge_engine.modeling.model_evaluation import evaluate_model

        label_column, with_values = task["label_column"], task["with_values"]
        evaluated = evaluate_model(model, source, label_column, with_values=with_values)
        fields: dict[str, Any] = msgspec.to_builtins(evaluated)
        return fields
    made = predict.predict(model, source, probabilities=task["probabilities"])
    return {
        "classes": made.classes,
        "values": made.values,
        "ignored_columns": made.ignored_columns,
        "missing_by_column": made.missing_by_column,
        "warnings": made.warnings,
        "diagnostics": [raw_diagnostic(item) for item in made.diagnostics],
    }


if __name__ == "__main__":
    main()
