"""Write the model of a run as a file for another library, which predicts the same."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.summary import summary_of
from runforge_engine.bundles.new_output import new_output

from runforge_cli import __version__
from runforge_cli.export.shared_run import SharedRun

if TYPE_CHECKING:
    from runforge_engine.modeling.model_conversion import Comparison

#: What the columns are that a model takes.
_FEATURES = "The features in their order, as float64, neither scaled nor rounded."
_PREPARED = f"{_FEATURES} They are columns that the recipe of the run makes."


def export_model(
    form: str,
    target: Path,
    shared: SharedRun,
    listed: Iterable[tuple[dict[str, Any], StoreLayout]],
) -> Comparison:
    """Write the model of a run to the new file ``target``, and return how it was compared.

    Parameters
    ----------
    form
        ``skops`` or ``onnx``.
    target
        What must not exist.
    shared
        The run.
    listed
        Every run of the workspace, for the digest of the model.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the run has no model; ``EXTRA_MISSING``; ``VERIFICATION_FAILED``
        if the model would predict otherwise; ``USAGE_INVALID`` if ``target`` exists;
        ``STORE_NOT_WRITABLE``; the errors of
        :func:`~runforge_engine.modeling.model_process.convert`.
    """
    from runforge_engine.modeling.model_process import convert

    run = shared.trained()
    with new_output(target) as unfinished:
        unfinished.touch(exist_ok=False)  # Here the error names the target.
        return convert(form, run, shared.place.workspace, listed, unfinished, _stated(shared))


def _stated(shared: SharedRun) -> dict[str, Any]:
    """Return what the file states of the model; of what is unknown, nothing."""
    summary = summary_of(shared.trained())
    data = summary.data
    stated = {
        "run_id": shared.folder.id,
        "model_sha256": shared.digests.get(summary.model.file or ""),
        "dataset_sha256": data.fingerprint_sha256,
        "recipe_sha256": data.recipe_sha256,
        "label_column": data.label_column,
        "finished_at": summary.outcome.finished_at,
        "exported_by": f"runforge-cli {__version__}",
        "license": shared.license,
        "author": shared.author,
        "input": _FEATURES if data.recipe is None else _PREPARED,
    }
    return {name: value for name, value in stated.items() if value is not None}
