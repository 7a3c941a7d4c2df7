"""The model that ``predict`` applies, and what it prints with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runforge_contracts.diagnostics import raw_diagnostic

from runforge_cli.listing.run_list import trained_in
from runforge_cli.shell.file_argument import is_file
from runforge_cli.shell.run_reference import find_run
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_engine.modeling.predict import Prediction, RecordedModel


def model_for(settings: Settings, model: str, *, unverified: bool) -> RecordedModel:
    """Return the model, with the run that recorded it."""
    from runforge_engine.modeling.predict import model_of_file, model_of_run

    listed = trained_in(settings.stores())
    path = settings.located(model)
    if is_file(path):
        return model_of_file(path, listed, unverified=unverified)
    return model_of_run(find_run(settings, model), listed, unverified=unverified)


def prediction_document(prediction: Prediction, output: str | None = None) -> dict[str, Any]:
    """Return a prediction, with the values unless they were written to the file ``output``."""
    document: dict[str, Any] = {
        "schema_version": "prediction.v1",
        "run_id": prediction.run_id,
        "rows": len(prediction.values),
        "predicted": prediction.predicted,
        "missing": len(prediction.missing_rows),
        "missing_by_column": prediction.missing_by_column,
        "ignored_columns": list(prediction.ignored_columns),
        "warnings": list(prediction.warnings),
    }
    if prediction.diagnostics:
        document["diagnostics"] = [raw_diagnostic(item) for item in prediction.diagnostics]
    if prediction.classes is not None:
        document["classes"] = list(prediction.classes)
    if output is None:
        return {**document, "predictions": prediction.to_list()}
    return {**document, "output": output}
