# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.show.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Any, Literal
from . import serve_common_v1


class ShowParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `show`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET


class ShowResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    The documents of a run, each as its file has it; absent where there is none.
    """

    run_id: str
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder, relative to the workspace if it is inside it."
        ),
    ]
    status: Annotated[str, Meta(description="How the run ended, or its state.")] | None
    kind: (
        Annotated[str, Meta(description="`experiment` for a run of a script.")]
        | UnsetType
    ) = UNSET
    client: (
        Annotated[str, Meta(description="Which other client wrote the run.")]
        | UnsetType
    ) = UNSET
    forms: (
        Annotated[
            dict[str, Any],
            Meta(description="The schema of each document that another client wrote."),
        ]
        | UnsetType
    ) = UNSET
    request: (
        Annotated[dict[str, Any], Meta(description="`request.json`.")] | UnsetType
    ) = UNSET
    run: Annotated[dict[str, Any], Meta(description="`run.json`.")] | UnsetType = UNSET
    result: (
        Annotated[dict[str, Any], Meta(description="`result.json`.")] | UnsetType
    ) = UNSET
    metrics: (
        Annotated[
            Any,
            Meta(
                description="`metrics.json`; of an experiment the lines of its metrics."
            ),
        ]
        | UnsetType
    ) = UNSET
    metrics_v1: (
        Annotated[dict[str, Any], Meta(description="`metrics.v1.json`.")] | UnsetType
    ) = UNSET
    feature_importance: (
        Annotated[dict[str, Any], Meta(description="Feature importances.")] | UnsetType
    ) = UNSET
    linear_coefficients: (
        Annotated[dict[str, Any], Meta(description="Linear coefficients.")] | UnsetType
    ) = UNSET
    interpretability: (
        Annotated[
            dict[str, Any], Meta(description="Index of the interpretability outputs.")
        ]
        | UnsetType
    ) = UNSET
    manifest: (
        Annotated[dict[str, Any], Meta(description="Digests of the files.")] | UnsetType
    ) = UNSET
    config: (
        Annotated[dict[str, Any], Meta(description="`config.yaml` of an experiment.")]
        | UnsetType
    ) = UNSET
    system: (
        Annotated[dict[str, Any], Meta(description="`system.json` of an experiment.")]
        | UnsetType
    ) = UNSET
    diagnostics: (
        Annotated[
            list[dict[str, Any]],
            Meta(description="What explains the behaviour of the run."),
        ]
        | UnsetType
    ) = UNSET
    evaluations: (
        Annotated[
            list[dict[str, Any]],
            Meta(
                description="Evaluations of the model, each an `evaluation.v1`, oldest first; absent if there are none."
            ),
        ]
        | UnsetType
    ) = UNSET
    repeats: (
        Annotated[
            str,
            Meta(
                description="The run that this one repeats; it may be in another store."
            ),
        ]
        | UnsetType
    ) = UNSET
    repeated_by: (
        Annotated[
            list[str],
            Meta(
                description="The runs that repeat this one, oldest first; absent if there are none."
            ),
        ]
        | UnsetType
    ) = UNSET
    group_id: (
        Annotated[str, Meta(description="Group of runs that the run belongs to.")]
        | UnsetType
    ) = UNSET
    problems: (
        Annotated[
            list[dict[str, Any]],
            Meta(description="Errors of the documents that cannot be read."),
        ]
        | UnsetType
    ) = UNSET


class ShowMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns all documents of a run.
    """

    method: Literal["show"]
    params: ShowParams
    result: ShowResult
