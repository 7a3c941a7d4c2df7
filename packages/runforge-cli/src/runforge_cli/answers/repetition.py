"""The request that ``rerun`` executes: that of the run that a reference names, with changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runforge_contracts.store.layout import REQUEST
from runforge_contracts.store.lookup import made

from runforge_cli import CLIENT
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_engine.pipeline.repeated_run import Repetition


def repetition_of(
    settings: Settings,
    run: str,
    options: Mapping[str, Any],
    *,
    created_by: str = CLIENT,
    **changes: Any,
) -> Repetition:
    """Return the request to repeat a run.

    Parameters
    ----------
    run
        The reference to the run.
    options, created_by, changes
        As for :func:`~runforge_engine.pipeline.repeated_run.repetition`.

    Raises
    ------
    RunForgeError
        The errors of that function and of finding the run.
    """
    from runforge_engine.pipeline.repeated_run import repetition

    parent = settings.find_run(
        run,
        "Repeat it with `runforge experiment run --experiment runs/{run}/config.yaml`.",
        made(REQUEST),
    )
    return repetition(parent, settings.target(), options, created_by=created_by, **changes)
