# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.

"""Every method and notification of ``runforge serve``."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """What the schema of a message says about it."""

    #: Name of the schema, module and struct of the parameters.
    schema: str
    module: str
    params: str
    #: Whether the message is a request, which is answered.
    request: bool
    #: Whether the server sends it.
    of_server: bool


MESSAGES: dict[str, Message] = {
    "initialize": Message(
        "serve.initialize.v1", "serve_initialize_v1", "InitializeParams", True, False
    ),
    "shutdown": Message("serve.shutdown.v1", "serve_shutdown_v1", "ShutdownParams", True, False),
    "exit": Message("serve.exit.v1", "serve_exit_v1", "ExitParams", False, False),
    "$/cancelRequest": Message(
        "serve.cancelRequest.v1", "serve_cancelRequest_v1", "CancelRequestParams", False, False
    ),
    "train": Message("serve.train.v1", "serve_train_v1", "TrainParams", True, False),
    "run": Message("serve.run.v1", "serve_run_v1", "RunParams", True, False),
    "rerun": Message("serve.rerun.v1", "serve_rerun_v1", "RerunParams", True, False),
    "cancel": Message("serve.cancel.v1", "serve_cancel_v1", "CancelParams", True, False),
    "warm": Message("serve.warm.v1", "serve_warm_v1", "WarmParams", True, False),
    "progress": Message("serve.progress.v1", "serve_progress_v1", "ProgressParams", False, True),
    "warning": Message("serve.warning.v1", "serve_warning_v1", "WarningParams", False, True),
    "sweep": Message("serve.sweep.v1", "serve_sweep_v1", "SweepParams", True, False),
    "planSweep": Message(
        "serve.planSweep.v1", "serve_planSweep_v1", "PlanSweepParams", True, False
    ),
    "groups": Message("serve.groups.v1", "serve_groups_v1", "GroupsParams", True, False),
    "group": Message("serve.group.v1", "serve_group_v1", "GroupParams", True, False),
    "list": Message("serve.list.v1", "serve_list_v1", "ListParams", True, False),
    "show": Message("serve.show.v1", "serve_show_v1", "ShowParams", True, False),
    "metrics": Message("serve.metrics.v1", "serve_metrics_v1", "MetricsParams", True, False),
    "importance": Message(
        "serve.importance.v1", "serve_importance_v1", "ImportanceParams", True, False
    ),
    "coefficients": Message(
        "serve.coefficients.v1", "serve_coefficients_v1", "CoefficientsParams", True, False
    ),
    "interpretability": Message(
        "serve.interpretability.v1",
        "serve_interpretability_v1",
        "InterpretabilityParams",
        True,
        False,
    ),
    "diagnostics": Message(
        "serve.diagnostics.v1", "serve_diagnostics_v1", "DiagnosticsParams", True, False
    ),
    "diff": Message("serve.diff.v1", "serve_diff_v1", "DiffParams", True, False),
    "report": Message("serve.report.v1", "serve_report_v1", "ReportParams", True, False),
    "inspect": Message("serve.inspect.v1", "serve_inspect_v1", "InspectParams", True, False),
    "recipe": Message("serve.recipe.v1", "serve_recipe_v1", "RecipeParams", True, False),
    "predict": Message("serve.predict.v1", "serve_predict_v1", "PredictParams", True, False),
    "evaluate": Message("serve.evaluate.v1", "serve_evaluate_v1", "EvaluateParams", True, False),
    "inspectArtifact": Message(
        "serve.inspectArtifact.v1", "serve_inspectArtifact_v1", "InspectArtifactParams", True, False
    ),
    "trace": Message("serve.trace.v1", "serve_trace_v1", "TraceParams", True, False),
    "verify": Message("serve.verify.v1", "serve_verify_v1", "VerifyParams", True, False),
    "reproduce": Message(
        "serve.reproduce.v1", "serve_reproduce_v1", "ReproduceParams", True, False
    ),
    "rebuildIndex": Message(
        "serve.rebuildIndex.v1", "serve_rebuildIndex_v1", "RebuildIndexParams", True, False
    ),
    "watch": Message("serve.watch.v1", "serve_watch_v1", "WatchParams", True, False),
    "unwatch": Message("serve.unwatch.v1", "serve_unwatch_v1", "UnwatchParams", True, False),
    "runBegan": Message("serve.runBegan.v1", "serve_runBegan_v1", "RunBeganParams", False, True),
    "runEnded": Message("serve.runEnded.v1", "serve_runEnded_v1", "RunEndedParams", False, True),
    "runsChanged": Message(
        "serve.runsChanged.v1", "serve_runsChanged_v1", "RunsChangedParams", False, True
    ),
}
