"""The methods that train: they make a request document, which a worker executes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.run import Run

from runforge_cli.serve.call import Call
from runforge_cli.serve.serve_session import Session

if TYPE_CHECKING:
    from runforge_engine.pipeline.request import PreparedRequest

#: Parameters of a training that requests have under the same name.
_OPTIONS = ("preset", "profile", "seed", "device", "name", "notes")


class _Prepared(NamedTuple):
    """What is given to the workers."""

    request: PreparedRequest
    private: bool | None
    #: Returns what else there is to say about the run in a folder.
    notes: Callable[[Path], dict[str, Any]] = lambda _: {}
    #: The digest that the dataset must have.
    dataset_sha256: str | None = None


def start_training(session: Session, call: Call) -> None:
    """Prepare the request of a call and hand it to the workers; the answer comes later.

    Raises
    ------
    RunForgeError
        If the request is invalid, before anything is written.
    """
    prepared = _PREPARE[call.method](session, call.params)
    session.trainings.submit(
        call,
        prepared.request.document.raw,
        session.settings.target(),
        jobs=session.jobs,
        private=prepared.private,
        notes=prepared.notes,
        dataset_sha256=prepared.dataset_sha256,
    )


def _train(session: Session, params: dict[str, Any]) -> _Prepared:
    from runforge_engine.pipeline.request import new_request

    request = new_request(
        dataset=params["dataset"],
        label_column=params["label"],
        store=session.settings.target(),
        created_by=session.created_by,
        model_family=params.get("model"),
        hyperparameters=params.get("hyperparameters"),
        exclude_columns=params.get("exclude", ()),
        recipe=params.get("recipe"),
        tags=params.get("tags", ()),
        **{name: params[name] for name in _OPTIONS if name in params},
    )
    return _Prepared(request, params.get("private"))


def _run(session: Session, params: dict[str, Any]) -> _Prepared:
    from runforge_contracts.documents import Document
    from runforge_contracts.types import RequestV1
    from runforge_engine.pipeline.request import prepare

    if ("request" in params) == ("path" in params):
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either `request` or `path`.")
    document: Document[RequestV1]
    if "path" in params:
        document = Document.load(Path(params["path"]), RequestV1)
    else:
        document = Document(params["request"], "request.v1")
    digest = params.get("dataset_sha256")
    return _Prepared(prepare(document), params.get("private"), dataset_sha256=digest)


def _rerun(session: Session, params: dict[str, Any]) -> _Prepared:
    from runforge_engine.pipeline.repeated_run import changed_files

    from runforge_cli.answers.repetition import repetition_of

    repetition = repetition_of(
        session.settings,
        params["run"],
        {name: params.get(name) for name in (*_OPTIONS, "model")},
        parameters=params.get("hyperparameters", {}),
        exclude=params.get("exclude", ()),
        include=params.get("include", ()),
        tags=params.get("tags", ()),
        dataset=params.get("dataset"),
        recipe=params.get("recipe"),
        without_recipe=params.get("without_recipe", False),
        created_by=session.created_by,
    )
    return _Prepared(
        repetition.request,
        params.get("private") or repetition.private or None,
        lambda folder: changed_files(repetition.parent, Run(folder)),
    )


_PREPARE = {"train": _train, "run": _run, "rerun": _rerun}
#: The methods that train.
TRAINING = frozenset(_PREPARE)
