"""Resolve the arguments of ``runforge store forget``: runs, and what is left of forgotten ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.evaluations import find_evaluation, is_evaluation
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.removals import read_removals
from runforge_contracts.store.removed_lookup import find_removed
from runforge_contracts.store.run import Run

from runforge_cli.shell.settings import Settings
from runforge_cli.shell.sweep_selection import runs_in_sweep


@dataclass(slots=True)
class Forgettable:
    """What was named of one store."""

    runs: list[AnyRun] = field(default_factory=list)
    #: Runs that were forgotten before, with the error if nothing of them is left.
    forgotten: dict[str, RunForgeError] = field(default_factory=dict)
    #: Evaluations of such runs.
    evaluations: list[str] = field(default_factory=list)


def forgettable(
    settings: Settings, references: Sequence[str], group: str | None = None
) -> dict[StoreLayout, Forgettable]:
    """Return what is to be forgotten, by store.

    Parameters
    ----------
    settings
        The options of the call.
    references
        What names runs, or evaluations.
    group
        What names a sweep, all of whose runs are forgotten.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` unless there is either a run or a sweep, and for the evaluation of a run
        that was not forgotten; the errors of
        :func:`~runforge_contracts.store.lookup.find_any_run`.
    """
    if bool(references) == bool(group):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Name runs or a sweep, not both." if group else "No run is named.",
            hint="`runforge runs` lists them; `latest` is the newest one.",
        )
    found: dict[StoreLayout, Forgettable] = {}
    for run in runs_in_sweep(settings, group) if group else ():
        found.setdefault(_store_of(run), Forgettable()).runs.append(run)
    seen = set[Path]()
    for reference in references:
        if is_evaluation(reference, settings.stores()):
            _add_evaluation(settings, reference, found)
            continue
        try:
            run = settings.find_any(reference, strict=True)
        except RunForgeError as error:
            removed = find_removed(reference, settings.places())
            if len(removed) != 1 or removed[0][0]["action"] != "forgotten":
                raise
            [(line, store)] = removed
            found.setdefault(store, Forgettable()).forgotten[line["run_id"]] = error
            continue
        if run.path not in seen:
            seen.add(run.path)
            found.setdefault(_store_of(run), Forgettable()).runs.append(run)
    return found


def _store_of(run: AnyRun) -> StoreLayout:
    root = run.path.parents[1]
    return StoreLayout(root.parent, root.name) if isinstance(run, Run) else StoreLayout(root)


def _add_evaluation(
    settings: Settings, reference: str, found: dict[StoreLayout, Forgettable]
) -> None:
    evaluation = find_evaluation(reference, settings.stores())
    root, run_id = evaluation.path.parents[1], evaluation.run_id
    store = StoreLayout(root.parent, root.name)
    line = read_removals(store).current.get(run_id)
    if line is None or line["action"] != "forgotten":
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The evaluation {quote(evaluation.id)} is of the run {quote(run_id)}, which was not"
            " forgotten: it stays.",
            hint=f"`runforge store forget {run_id} --with-evaluations` removes both.",
            path=str(evaluation.path),
        )
    named = found.setdefault(store, Forgettable())
    named.evaluations.append(evaluation.id)
    named.forgotten[run_id] = RunForgeError(
        ErrorCode.EVALUATION_NOT_FOUND, f"There is no evaluation {quote(evaluation.id)}."
    )
