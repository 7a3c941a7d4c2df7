"""The pool that executes a sweep: processes of this machine, or the workers of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from runforge_contracts.store.layout import StoreLayout

from runforge_engine.sweeps.open_group import OpenGroup
from runforge_engine.sweeps.run_sweep import Pool
from runforge_engine.workers.worker_pool import WorkerPool

if TYPE_CHECKING:
    from runforge_engine.distributed.dask_pool import DaskPool


class SweepPools:
    """Makes the pool of a sweep; of a cluster, it is connected before the group is made.

    Parameters
    ----------
    store
        The store of the sweep.
    scheduler
        Address of the scheduler of a cluster; None for processes of this machine.
    jobs
        Most runs at a time, where the user has said so.
    private
        As for :func:`~runforge_engine.pipeline.execute.execute`.
    allow_mixed
        Whether workers of the cluster with other versions are accepted.
    """

    def __init__(
        self,
        store: StoreLayout,
        scheduler: str | None = None,
        *,
        jobs: int | None = None,
        private: bool | None = None,
        allow_mixed: bool = False,
    ) -> None:
        self._private, self._jobs = private, jobs
        self._pool: DaskPool | None = None
        if scheduler is not None:
            from runforge_engine.distributed.dask_pool import DaskPool

            self._pool = DaskPool(scheduler, store, private=private, allow_mixed=allow_mixed)

    @property
    def slots(self) -> int | None:
        """How many runs the workers of the cluster take at a time now; None for this machine."""
        return None if self._pool is None else self._pool.slots

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Connect to the cluster, if there is one, for as long as the context lasts.

        Raises the errors of :meth:`~runforge_engine.distributed.dask_pool.DaskPool.start`.
        """
        if self._pool is None:
            yield
            return
        self._pool.start()
        try:
            yield
        finally:
            self._pool.close(0)

    def pool(self, group: OpenGroup) -> Pool:
        """Return the pool for the waiting members of a group."""
        if self._pool is None:
            return WorkerPool(
                group.jobs,
                group.store,
                private=self._private,
                shared=group.shared_data,
                # Even if this process is killed, the group is locked until the workers have ended.
                inherited=group.locks,
            )
        self._pool.jobs = self._jobs or group.plan.execution.get("max_parallel")
        return self._pool
