"""``Sweep``: a recorded sweep with its runs, and a data frame of them.

Source: specification, sections 20.6 to 20.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import printable
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.sweeps.groups import Group

from runforge_engine import __version__
from runforge_engine.api.trained_run import Run
from runforge_engine.data.dataset_source import PYTHON
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.store.sweep_reading import read_sweep
from runforge_engine.store.sweep_table import SweepRow, SweepTable
from runforge_engine.sweeps.open_group import OpenGroup, SweepOptions, resumed_group
from runforge_engine.sweeps.run_sweep import SweepResult, run_sweep
from runforge_engine.sweeps.sweep_observer import SweepObserver
from runforge_engine.sweeps.sweep_pool import SweepPools

if TYPE_CHECKING:
    import pandas as pd


class Sweep:
    """The runs that were made of one plan.

    Nothing is kept in memory: every question is answered from the files, as they are now.

    Parameters
    ----------
    group
        The group of the runs.
    stores
        The stores of the workspace.
    """

    def __init__(self, group: Group, stores: Sequence[StoreLayout]) -> None:
        self._path, self._stores = group.path, tuple(stores)

    @property
    def path(self) -> Path:
        """The folder of the group."""
        return self._path

    @property
    def group_id(self) -> str:
        """The id of the group."""
        return self._path.name

    @property
    def status(self) -> str:
        """``running``, ``succeeded``, ``failed``, ``canceled`` or ``interrupted``."""
        return self._table().status

    def runs(self, *, status: str | None = None) -> list[Run]:
        """Return the runs of the members, in the order of the plan.

        Parameters
        ----------
        status
            Only those with this status.
        """
        runs = [self._run(row) for row in self._table().rows]
        return [run for run in runs if run is not None and status in (None, run.status)]

    def best(self) -> Run | None:
        """Return the run with the best primary metric, or None if no run succeeded.

        Of several that are equal, the best by their other metrics; see :meth:`best_runs`.
        """
        return next(iter(self.best_runs()), None)

    def best_runs(self) -> list[Run]:
        """Return all runs that share the best primary metric, the best by their others first."""
        return [run for row in self._table().best() if (run := self._run(row)) is not None]

    def frame(self) -> pd.DataFrame:
        """Return a data frame with a row for each member.

        Its index is the number of the member in the plan. There is a column for each setting that
        varies, with the value that was used; ``seed``; one for each metric; ``status``,
        ``duration`` and ``run_id``. A metric with the name of another column has the prefix
        ``metric.``.
        """
        import pandas as pd

        table = self._table()
        settings = [column.name for column in table.setting_columns]
        taken = {*settings, "seed", "status", "duration", "run_id"}
        metrics = {name: f"metric.{name}" if name in taken else name for name in table.metrics}
        rows = [
            {
                **{
                    column.name: cell.value
                    for column, cell in zip(table.columns, row.cells, strict=True)
                    if not column.is_seed
                },
                "seed": self._seed(row),
                **{column: row.metrics.get(name) for name, column in metrics.items()},
                "status": row.status,
                "duration": row.duration_ms,
                "run_id": row.run_id,
            }
            for row in table.rows
        ]
        names = [*settings, "seed", *metrics.values(), "status", "duration", "run_id"]
        index = pd.Index([row.number for row in table.rows], name="member", dtype="int64")
        frame = pd.DataFrame(rows, columns=names, index=index)
        frame["duration"] = pd.to_timedelta(frame["duration"].astype("Float64"), unit="ms")
        types = {
            "seed": "Int64",
            "status": "string",
            "run_id": "string",
            **dict.fromkeys(metrics.values(), "float64"),
        }
        return frame.astype(types)

    def resume(
        self,
        *,
        retry_failed: bool = False,
        jobs: int | None = None,
        scheduler: str | None = None,
        allow_mixed: bool = False,
        private: bool | None = None,
        observer: SweepObserver | None = None,
        cancellation: Cancellation | None = None,
    ) -> Sweep:
        """Do what is missing, and return the sweep.

        Members that are pending, interrupted or cancelled are run; finished ones never again.

        Parameters
        ----------
        retry_failed
            Whether members that failed are run again, too.
        jobs
            How many runs are executed at the same time; by default as before.
        scheduler, allow_mixed, private, observer, cancellation
            As for :func:`~runforge_engine.api.library.sweep`.

        Raises
        ------
        RunForgeError
            ``GROUP_BUSY``, ``DATASET_CHANGED``; the errors of
            :func:`~runforge_engine.api.library.sweep`.
        """
        group = Group(self._path)
        pools = SweepPools(
            group.store, scheduler, jobs=jobs, private=private, allow_mixed=allow_mixed
        )
        with pools.connected():
            options = SweepOptions(jobs, scheduler=scheduler, slots=pools.slots)
            with resumed_group(
                group,
                group.store,
                created_by=f"{PYTHON}{__version__}",
                retry_failed=retry_failed,
                options=options,
            ) as opened:
                execute_group(opened, pools, observer, cancellation)
        return self

    def _table(self) -> SweepTable:
        return read_sweep(Group(self._path), self._stores)

    def _run(self, row: SweepRow) -> Run | None:
        if row.run_id is None or row.run_dir is None:
            return None
        return Run(Group(self._path).store.run_folder(row.run_id))

    def _seed(self, row: SweepRow) -> int | None:
        run = self._run(row)
        if run is None:
            return None
        config: dict[str, Any] = (run.result or {}).get("effective_config") or {}
        seed: int | None = config.get("seed", (run.request or {}).get("seed"))
        return seed

    def __repr__(self) -> str:
        return f"<Sweep {printable(self.group_id)}: {self.status}>"

    def _repr_html_(self) -> str:
        from runforge_engine.api.sweep_html import sweep_html

        return sweep_html(self._table())


def execute_group(
    group: OpenGroup,
    pools: SweepPools,
    observer: SweepObserver | None,
    cancellation: Cancellation | None,
) -> SweepResult:
    """Run the waiting members of a group.

    Raises
    ------
    RunForgeError
        Why the sweep ended before all members were run, with a note on how to resume it.
    KeyboardInterrupt
        Once the sweep is recorded as cancelled.
    """
    result = run_sweep(group, pools.pool(group), observer, cancellation)
    if result.error is not None:
        error: RunForgeError = result.error
        error.add_note(
            f"The sweep is recorded as {result.status} in {group.store.relative(group.folder)};"
            f" `Store().open_sweep({group.id!r}).resume()` does what is missing."
        )
        raise error
    return result
