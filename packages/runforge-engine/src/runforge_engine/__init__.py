"""The RunForge engine: turns a request into a recorded run.

``train`` trains and returns a ``Run``; a ``Store`` has all the runs of a workspace. Importing the
package loads neither numpy nor scikit-learn. Library users who want results that are equal on every
machine call ``pin_environment`` before they import numpy.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import costs scripts more than all of this
if TYPE_CHECKING:
    from typing import Any

    from runforge_engine.api.library import Store, train
    from runforge_engine.api.run import Run
    from runforge_engine.pipeline.observer import Observer
    from runforge_engine.runtime.cancellation import Cancellation
    from runforge_engine.runtime.numeric_environment import pin_environment

__version__ = "0.4.0"

__all__ = ["Cancellation", "Observer", "Run", "Store", "__version__", "pin_environment", "train"]

#: Where each name is defined; its module is imported when the name is asked for.
_MODULES = {
    "Cancellation": "runtime.cancellation",
    "Observer": "pipeline.observer",
    "Run": "api.run",
    "Store": "api.library",
    "pin_environment": "runtime.numeric_environment",
    "train": "api.library",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
