"""The curves of a run for its notebook display, from its model and its validation rows."""

from __future__ import annotations

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import find_workspace, stores_in
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of


def curves_of(run: Run, most: int) -> str:
    """Return the curves as HTML; nothing if the run has no model, or a dataset that was changed.

    Parameters
    ----------
    run
        The run.
    most
        Size of the dataset, in bytes, above which it is not read for a display.
    """
    from runforge_contracts.store.reading import runs_of

    data = summary_of(run).data.path
    if run.status != "succeeded" or data is None:
        return ""
    workspace = find_workspace(run.path)
    try:
        if (workspace / data).stat().st_size > most:
            return ""
    except (OSError, ValueError):
        return ""
    from runforge_engine.api.run_html import curves_html
    from runforge_engine.modeling.curves import precision_recall_curves, roc_curves
    from runforge_engine.modeling.model_process import replay

    listed = runs_of(stores_in(workspace))
    try:
        replayed = replay(run, workspace, listed)
        return curves_html(roc_curves(replayed), precision_recall_curves(replayed))
    except RunForgeError:
        return ""
