"""Load the libraries of a training in the background, and only those that it needs.

Importing scikit-learn takes longer than training on a small table, and most of a large table can be
read meanwhile. The libraries that read a table are loaded first.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from threading import Event

from runforge_engine.runtime.background import start_in_background
from runforge_engine.runtime.lazy_import import defer

_FOR_TABLES = ("numpy", "pyarrow", "pyarrow.csv", "pyarrow.compute")
_FOR_MODELS = (
    "scipy.linalg",
    "sklearn.metrics",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "threadpoolctl",
)
_ESTIMATORS = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.svm")

#: What the libraries import wherever it is installed, though nothing that a run does needs it: a
#: tenth of the time and of the memory that loading takes.
_NEEDLESS = frozenset({"pandas", "rich"})
#: What the libraries import for other uses than a run's, which takes nearly as long as all else; so
#: it is deferred, with the names that they take from it.
_FOR_OTHERS = {
    "numpy.f2py": (),
    "numpy.testing": (),
    "scipy.interpolate": ("BSpline",),
    "scipy.optimize._linprog": ("linprog", "linprog_verbose_callback"),
    "scipy.optimize._milp": ("milp",),
    "scipy.optimize._shgo": ("shgo",),
    "scipy.spatial": ("distance",),
    "scipy.stats": ("chi2", "gmean", "rankdata"),
}

#: Whether this process makes one run, or one table, and nothing else.
_own = False


class _NeedlessFinder:
    """A finder that refuses modules no run needs, as if they were not installed."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Refuse needless modules, and leave all others to the other finders."""
        if name in _NEEDLESS:
            raise ModuleNotFoundError(f"No module named {name!r} in a process of a run", name=name)
        return None


def own_process() -> None:
    """Load sparingly from now on: this process makes one run, or one table.

    The garbage collector does not look at the modules that are loaded, because they stay in use.
    Modules that no run needs cannot be imported, or are imported only when used. Do not call it in
    a program or a notebook, whose process does other work, too.
    """
    global _own
    if not _own:
        _own = True
        gc.disable()
        sys.meta_path.insert(0, _NeedlessFinder)
        defer(_FOR_OTHERS)


#: Loads that have not ended.
_unfinished: set[Event] = set()


class Libraries:
    """The libraries on their way. One that is broken says so where it is used."""

    def __init__(self, estimator: str) -> None:
        """Start to load what a training needs; ``estimator`` is the module of its estimator."""
        modules = (*_FOR_MODELS, estimator)
        self._tables, self._everything = Event(), Event()
        if not _unfinished and all(name in sys.modules for name in (*_FOR_TABLES, *modules)):
            # So it is in a process that has made a run before.
            self._tables.set()
            self._everything.set()
            return
        _unfinished.add(self._everything)
        start_in_background(lambda: _load((_FOR_TABLES, self._tables), (modules, self._everything)))

    def wait_for_tables(self) -> None:
        """Wait for what reads a table: numpy and pyarrow."""
        self._tables.wait()

    def wait_for_all(self) -> None:
        """Wait for everything."""
        self._everything.wait()


def load_now() -> None:
    """Load what every model needs, in this thread, for the copies of this process."""
    for module in (*_FOR_TABLES, *_FOR_MODELS, *_ESTIMATORS):
        import_module(module)


def wait_for_libraries() -> None:
    """Wait until everything that started to load is loaded.

    Two threads that import packages with circles in them can find each other's halves.
    """
    for event in tuple(_unfinished):
        event.wait()


def _load(*steps: tuple[Sequence[str], Event]) -> None:
    try:
        for modules, there in steps:
            for module in modules:
                import_module(module)
            there.set()
    finally:
        for _, there in steps:
            there.set()
            _unfinished.discard(there)
        if _own and not gc.isenabled():
            gc.freeze()
            gc.enable()
