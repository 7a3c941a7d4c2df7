"""The RunForge engine: turns a request into a recorded run.

``train`` trains and returns a ``Run``, ``sweep`` many of them, and a ``Sweep``; a ``Store`` has all
the runs of a workspace. ``prepare``, ``predict``, ``verify`` and ``reproduce`` do what the commands
of these names do. What is exported here is public; everything else may change with any version.
Importing the package loads neither numpy nor scikit-learn. Library users who want results that are
equal on every machine call ``pin_environment`` before they import numpy.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import costs scripts more than all of this
if TYPE_CHECKING:
    from typing import Any

    from runforge_contracts.errors import RunForgeError

    from runforge_engine.api.experiment_run import ExperimentRun
    from runforge_engine.api.library import Store, sweep, train
    from runforge_engine.api.operations import execute, new_request, predict, reproduce, verify
    from runforge_engine.api.prepared_data import prepare
    from runforge_engine.api.trained_run import Run
    from runforge_engine.api.trained_sweep import Sweep
    from runforge_engine.pipeline.observer import Observer
    from runforge_engine.runtime.cancellation import Cancellation
    from runforge_engine.runtime.numeric_environment import pin_environment
    from runforge_engine.sweeps.sweep_observer import SweepObserver

__version__ = "0.4.0"

__all__ = [
    "Cancellation",
    "ExperimentRun",
    "Observer",
    "Run",
    "RunForgeError",
    "Store",
    "Sweep",
    "SweepObserver",
    "__version__",
    "execute",
    "new_request",
    "pin_environment",
    "predict",
    "prepare",
    "reproduce",
    "sweep",
    "train",
    "verify",
]

#: Where each name is defined; its module is imported when the name is asked for.
_MODULES = {
    "Cancellation": "runforge_engine.runtime.cancellation",
    "ExperimentRun": "runforge_engine.api.experiment_run",
    "Observer": "runforge_engine.pipeline.observer",
    "Run": "runforge_engine.api.trained_run",
    "RunForgeError": "runforge_contracts.errors",
    "Store": "runforge_engine.api.library",
    "Sweep": "runforge_engine.api.trained_sweep",
    "SweepObserver": "runforge_engine.sweeps.sweep_observer",
    "execute": "runforge_engine.api.operations",
    "new_request": "runforge_engine.api.operations",
    "pin_environment": "runforge_engine.runtime.numeric_environment",
    "predict": "runforge_engine.api.operations",
    "prepare": "runforge_engine.api.prepared_data",
    "reproduce": "runforge_engine.api.operations",
    "sweep": "runforge_engine.api.library",
    "train": "runforge_engine.api.library",
    "verify": "runforge_engine.api.operations",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
