"""The methods that read, and those that record what they found.

Each returns what the command prints with ``--json``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runforge_contracts.store import layout
from runforge_contracts.store.lookup import made

from runforge_cli.serve.call import Call
from runforge_cli.serve.serve_session import Session
from runforge_cli.serve.sweep_methods import list_sweeps, plan_sweep, show_sweep
from runforge_cli.terminal.output import warn

#: Answers a call.
Method = Callable[[Session, Call], Any]


def _list(session: Session, call: Call) -> dict[str, Any]:
    from runforge_contracts.index.kept_index import keep_indexes

    from runforge_cli.answers.list_answer import RunChoice, list_document

    keep_indexes()
    page = {name: call.params[name] for name in ("limit", "offset") if name in call.params}
    names = {"min": "least", "max": "greatest"}
    chosen = {names.get(name, name): call.params[name] for name in call.params if name not in page}
    return list_document(session.settings, RunChoice(**chosen), **page)


def _show(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.run_answers import run_document

    return run_document(session.settings.find_any(_run_of(call)), session.settings)


def _metrics(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.render.text_pages import metrics_document

    return metrics_document(session.settings.find_run(_run_of(call), takes=made(layout.METRICS)))


def _importance(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.render.text_pages import importance_document

    takes = made(layout.FEATURE_IMPORTANCE)
    return importance_document(session.settings.find_run(_run_of(call), takes=takes))


def _coefficients(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.render.text_pages import coefficients_document

    takes = made(layout.LINEAR_COEFFICIENTS)
    return coefficients_document(session.settings.find_run(_run_of(call), takes=takes))


def _interpretability(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.run_answers import interpretability_document

    takes = made(layout.INTERPRETABILITY_INDEX)
    return interpretability_document(session.settings.find_run(_run_of(call), takes=takes))


def _diagnostics(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.run_answers import diagnostics_document

    return diagnostics_document(session.settings.find_run(_run_of(call)))


def _diff(session: Session, call: Call) -> dict[str, Any]:
    from runforge_contracts.comparison import compare_runs

    from runforge_cli.listing.experiment_rows import tolerant
    from runforge_cli.shell.run_selection import find_runs

    found = find_runs(session.settings, call.params["runs"], least=2)
    return compare_runs([tolerant(run, warn) for run in found], session.settings.target())


def _trace(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.trace_answer import trace_answer

    return trace_answer(session.settings, call.params["what"])


def _inspect_artifact(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.model_answer import model_document

    document, _ = model_document(session.settings, call.params["model"])
    return document


def _cancel(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.cancelled_run import cancel_run

    return cancel_run(session.settings, call.params.get("run"))


def _beside(session: Session, call: Call) -> dict[str, Any]:
    """Answer in a process of its own."""
    settings = session.settings
    result: dict[str, Any] = session.side.ask(
        call,
        {
            "method": call.method,
            "params": call.params,
            "workspace": settings.workspace,
            "store": settings.store,
        },
    )
    return result


def _predict(session: Session, call: Call) -> dict[str, Any]:
    from runforge_engine.modeling.model_process import predict

    from runforge_cli.answers.prediction_answer import model_for, prediction_document

    params = call.params
    model = model_for(session.settings, params["model"], unverified=params.get("unverified", False))
    prediction = predict(
        model, Path(params["data"]), probabilities=params.get("probabilities", False)
    )
    return prediction_document(prediction)


def _evaluate(session: Session, call: Call) -> dict[str, Any]:
    from runforge_contracts.store.evaluations import validation_of

    from runforge_cli.answers.evaluation_answer import evaluation_report, new_evaluation
    from runforge_cli.shell.run_reference import find_run

    params, settings = call.params, session.settings
    run = find_run(settings, params["run"])
    made = new_evaluation(
        settings,
        run,
        params["data"],
        label=params.get("label"),
        unverified=params.get("unverified", False),
        private=params.get("private"),
    )
    return evaluation_report(made.recorded, settings, validation_of(run), warnings=made.warnings)


def _verify(session: Session, call: Call) -> dict[str, Any]:
    from msgspec import to_builtins
    from runforge_engine.verification.verify_store import verification_document

    from runforge_cli.answers.verification_answers import verified_stores, verify_named

    params = call.params
    keys = [Path(params["public_key"])] if "public_key" in params else []
    with_dataset = params.get("dataset", True)
    if "runs" in params:
        runs = tuple(params["runs"])
        named = verify_named(session.settings, runs, keys, with_dataset=with_dataset)
        document = verification_document(named.runs, None, named.evaluations)
    else:
        stores, experiments = verified_stores(session.settings, keys, with_dataset=with_dataset)
        found = [*(run for store in stores for run in (*store.runs, *store.views)), *experiments]
        evaluations = [item for store in stores for item in store.evaluations]
        document = verification_document(found, stores, evaluations)
    result: dict[str, Any] = to_builtins(document)
    return result


def _reproduce(session: Session, call: Call) -> dict[str, Any]:
    from runforge_contracts.store.layout import RUN
    from runforge_engine.reproduction.reproduce import reproduce

    from runforge_cli.answers.reproduction_answer import workspace_of
    from runforge_cli.serve.stages import CallObserver

    params, settings = call.params, session.settings
    folder = settings.find_run(_run_of(call), takes=made(RUN))
    call.on_cancel = lambda: True  # The new training is ended first, and then the answer is sent.
    report = reproduce(
        folder,
        workspace_of(folder, settings),
        dataset=Path(params["dataset"]) if "dataset" in params else None,
        numerics=params.get("numerics", "recorded"),
        keep=Path(params["keep"]) if "keep" in params else None,
        observer=CallObserver(call),
        cancellation=call.cancellation,
    )
    document: dict[str, Any] = report.to_dict()
    return document


def _rebuild_index(session: Session, call: Call) -> dict[str, Any]:
    from runforge_cli.answers.index_answer import index_report, rebuild_indexes

    return index_report(rebuild_indexes(session.settings))


def _run_of(call: Call) -> str:
    run: str = call.params.get("run", "latest")
    return run


#: Methods that answer at once, and those that can take long.
QUICK: dict[str, Method] = {
    "list": _list,
    "show": _show,
    "metrics": _metrics,
    "importance": _importance,
    "coefficients": _coefficients,
    "interpretability": _interpretability,
    "diagnostics": _diagnostics,
    "diff": _diff,
    "trace": _trace,
    "inspectArtifact": _inspect_artifact,
    "groups": list_sweeps,
    "group": show_sweep,
    "planSweep": plan_sweep,
}
LONG: dict[str, Method] = {
    "inspect": _beside,
    "recipe": _beside,
    "report": _beside,
    "predict": _predict,
    "evaluate": _evaluate,
    "verify": _verify,
    "reproduce": _reproduce,
    "rebuildIndex": _rebuild_index,
    "cancel": _cancel,
}
