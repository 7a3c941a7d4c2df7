"""Use a model in a separate process, so that a model that crashes it harms nothing else.

The recorded digest, the static reader and the list of allowed names are checked first, and no model
that passes them is known to do harm. But the libraries are native code that trusts its input, and a
store may come from anywhere. A failure ends only a process with bounded memory and time, and the
caller gets an error. The answer is JSON, because the output of a broken process is not trusted.

The module is also that process: ``python -P -m runforge_engine.modeling.model_process`` reads a
task from standard input and ends when that is closed. Several models are used by one process that
loads the libraries once and divides (fork(2)) for each of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run

from runforge_engine.runtime.interpreter import own_command, own_environment

if TYPE_CHECKING:
    from runforge_engine.modeling.curves import Curves
    from runforge_engine.modeling.model_evaluation import ModelEvaluation
    from runforge_engine.modeling.predict import Prediction, RecordedModel
    from runforge_engine.modeling.revalidate import Replay


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


def evaluate(
    model: RecordedModel, data: Path, label_column: str, *, with_values: bool = True
) -> ModelEvaluation:
    """Evaluate a model on the labelled rows of the dataset at ``data``, in a separate process.

    Raises
    ------
    RunForgeError
        As :func:`runforge_engine.data.dataset_source.read_source` and
        :func:`runforge_engine.modeling.model_evaluation.evaluate_model`; ``FILE_UNSAFE`` where the
        model ended the process, ``MEMORY_INSUFFICIENT``.
    """
    from runforge_engine.modeling.model_evaluation import ModelEvaluation

    answer = _ask(
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


def curves_of_each(
    folders: Sequence[Run], workspace: Path, listed: Sequence[tuple[dict[str, Any], StoreLayout]]
) -> Iterator[Curves | RunForgeError]:
    """Yield the curves of the predictions that :func:`replay` gives, for each of several runs.

    A run without them has the error that :func:`replay` raises.
    """
    from runforge_engine.modeling.curves import Curves
    from runforge_engine.modeling.revalidate import recorded_model

    found: list[RecordedModel | RunForgeError] = []
    for folder in folders:
        try:
            found.append(recorded_model(folder, listed))
        except RunForgeError as error:
            found.append(error)
    tasks = [
        (_replay_task("curves", folder, workspace, model), model.path)
        for folder, model in zip(folders, found, strict=True)
        if not isinstance(model, RunForgeError)
    ]
    answers = _ask_each(tasks)
    for model in found:
        answer = model if isinstance(model, RunForgeError) else next(answers)
        yield answer if isinstance(answer, RunForgeError) else msgspec.convert(answer, Curves)


def _replay_task(do: str, folder: Run, workspace: Path, model: RecordedModel) -> dict[str, Any]:
    return {
        "do": do,
        "model": _model_to_dict(model),
        "folder": str(folder.path),
        "workspace": str(workspace),
    }


def _model_to_dict(model: RecordedModel) -> dict[str, Any]:
    return {**asdict(model), "path": str(model.path)}


def _ask(task: dict[str, Any], model: Path) -> dict[str, Any]:
    """Return the answer of a new process to a task, or raise the error that it answers with."""
    with _started(task) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        output = process.stdout.read()
        # A process that was ended has closed its output; what is left of its end takes no time.
        code = process.wait()
    answer = _answer_of(output, code, model)
    if isinstance(answer, RunForgeError):
        raise answer
    return answer


def _ask_each(
    tasks: Sequence[tuple[dict[str, Any], Path]],
) -> Iterator[dict[str, Any] | RunForgeError]:
    """Yield the answer or the error to each of several tasks, which are given with their models."""
    if sys.platform != "linux" or len(tasks) < 2:
        # Elsewhere a process with native libraries cannot divide safely.
        for task, model in tasks:
            try:
                yield _ask(task, model)
            except RunForgeError as error:
                yield error
        return
    with _started({"do": "each", "tasks": [task for task, _ in tasks]}) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for _, model in tasks:
            head = process.stdout.readline().split()
            if len(head) != 2:
                # The process that divides has ended itself, and with it all other answers.
                code = process.wait()
                yield _died(code, model)
                continue
            size, code = map(int, head)
            yield _answer_of(process.stdout.read(size), code, model)


@contextmanager
def _started(task: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process on a task, and end it and all that it started at the end."""
    if not sys.executable:
        raise RunForgeError(ErrorCode.INTERNAL, "sys.executable is not set.")
    process = subprocess.Popen(
        own_command(__name__),
        env=own_environment(os.environ, Path()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Output of the libraries, crash messages included.
        stderr=subprocess.DEVNULL,
        # Ctrl-C in the terminal is handled by the waiting process.
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        # A process that ended at once has no answer, which the caller finds.
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        yield process
    finally:
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _answer_of(output: bytes, code: int, model: Path) -> dict[str, Any] | RunForgeError:
    """Return the answer in the output of a process that ended with a code, or the error."""
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        return _died(code, model)
    return RunForgeError.from_dict(answer["error"]) if "error" in answer else answer


def _died(code: int, model: Path) -> RunForgeError:
    """Return the error for a process that ended without an answer."""
    name = signal.Signals(-code).name if -code in list(signal.Signals) else ""
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
    """Do one task or several, and write the answers to the original standard output."""
    answering = os.dup(1)
    os.dup2(2, 1)  # Output of the libraries is not part of the answer.
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    with os.fdopen(answering, "wb") as stream:
        if task["do"] == "each":
            _load_libraries(Run(Path(task["tasks"][0]["folder"])))
            for each in task["tasks"]:
                answer, code = _apart(each)
                stream.write(b"%d %d\n" % (len(answer), code) + answer)
                stream.flush()
        else:
            stream.write(_answer(task))
            stream.flush()
    # Not to wait for what native code may have broken.
    os._exit(0)


def _load_libraries(folder: Run) -> None:
    """Load what the models and documents of runs like ``folder`` need, once for all of them."""
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.pipeline
    import sklearn.svm  # noqa: F401

    import runforge_engine.modeling.curves
    import runforge_engine.modeling.revalidate  # noqa: F401

    # The schemas of the documents; an error in them is that of the process of this run.
    with suppress(RunForgeError):
        _ = folder.record, folder.content(layout.METRICS_V1)


def _apart(task: dict[str, Any]) -> tuple[bytes, int]:
    """Return the answer of a process of its own to a task, and the code that it ended with."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as stream:
            stream.write(_answer(task))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    return answer, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _answer(task: dict[str, Any]) -> bytes:
    """Return the answer to a task as JSON."""
    try:
        answer = _do(task)
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
    return json.dumps(answer).encode()


def _end_with_the_caller() -> None:
    sys.stdin.buffer.read()
    if sys.platform != "win32" and os.getpgid(0) == os.getpid():
        # With the process that it divided into.
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _do(task: dict[str, Any]) -> dict[str, Any]:
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
    if task["do"] in ("replay", "curves"):
        from runforge_engine.modeling.revalidate import replay_model

        replayed = replay_model(Run(Path(task["folder"])), Path(task["workspace"]), model)
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
