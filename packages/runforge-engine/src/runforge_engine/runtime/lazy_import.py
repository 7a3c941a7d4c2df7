"""Defer imports: load a module when it is first used, not when it is imported.

A placeholder takes the place of the module. Names that other modules import from it to use later
are placeholders, too. Access to any other attribute imports the real module and is passed on to
it, so no attribute is ever missing.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import Lock
from types import ModuleType
from typing import Any


def defer(modules: Mapping[str, Collection[str]]) -> None:
    """Defer modules that have not been imported yet.

    Parameters
    ----------
    modules
        For each module the functions, classes and objects that others import from it by name and
        then keep: to call them later, or to read their attributes.
    """
    sys.meta_path.insert(0, _Finder(modules))


class _Finder(MetaPathFinder):
    """Finds placeholders for the modules that are still deferred."""

    def __init__(self, modules: Mapping[str, Collection[str]]) -> None:
        self._names = dict(modules)
        self._taking = Lock()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in self._names:
            real = PathFinder.find_spec(name, path, target)
            if real is None:
                return None
            return ModuleSpec(name, _Giver(_Deferred(real, self)))
        parent = sys.modules.get(name.rpartition(".")[0])
        if isinstance(parent, _Deferred):
            # What is within a package comes after the package, which may import it by itself.
            self.load(parent)
            if name in sys.modules:
                return ModuleSpec(name, _Giver(sys.modules[name]))
        return None

    def keeps(self, module: str, name: str) -> bool:
        """Tell whether a module, and this name of it, are still deferred."""
        return name in self._names.get(module, ())

    def load(self, stand: ModuleType) -> ModuleType:
        """Return the real module."""
        name = stand.__name__
        with self._taking:
            if sys.modules.get(name) is stand:
                del self._names[name], sys.modules[name]
        return import_module(name)


class _Giver(Loader):
    """Loads a module that already exists."""

    def __init__(self, module: ModuleType) -> None:
        # A module with a separate specification would be loaded by that again.
        self._module, self._spec, module.__spec__ = module, module.__spec__, None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec or module.__spec__


class _Deferred(ModuleType):
    """A placeholder for a module."""

    def __init__(self, real: ModuleSpec, finder: _Finder) -> None:
        super().__init__(real.name)
        self._finder = finder
        if real.submodule_search_locations is not None:
            self.__path__ = real.submodule_search_locations

    def __getattr__(self, name: str) -> Any:
        if self._finder.keeps(self.__name__, name):
            return _Name(self, name)
        if name == "__path__":
            raise AttributeError(name)  # A package has one from the start.
        return getattr(self._finder.load(self), name)


class _Name:
    """A placeholder for a named object of a module."""

    def __init__(self, module: _Deferred, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._real()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def _real(self) -> Any:
        return getattr(self._module._finder.load(self._module), self._name)
