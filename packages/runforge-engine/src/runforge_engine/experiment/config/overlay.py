"""Merge configuration files; later files override earlier ones.

Source: specification, section 17.5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file

from runforge_engine.experiment.config.config_paths import ConfigPath, place_in
from runforge_engine.experiment.config.config_reader import read_yaml_object
from runforge_engine.experiment.config.problem_list import Problems

#: Name of the list of files whose values are overridden by the file that lists them.
CONFIGS = "configs"
#: Maximum depth of files that extend one another.
_MAX_DEPTH = 32


class Configs:
    """The configuration files that an experiment extends, each read once.

    Parameters
    ----------
    root
        The repository.
    problems
        Collects errors; a file with an error counts as empty.
    """

    def __init__(self, root: Path, problems: Problems) -> None:
        self._root = root
        self._problems = problems
        self._merged: dict[Path, dict[str, Any]] = {}
        #: Path, digest and size of every file, by its path.
        self.files: dict[str, dict[str, Any]] = {}

    def merge(self, raw: dict[str, Any], above: tuple[ConfigPath, ...]) -> dict[str, Any]:
        """Merge the values of ``raw`` over those of the files that it lists, in their order.

        Parameters
        ----------
        raw
            The contents of a file.
        above
            The chain of files that extend this one: the experiment first, the file of ``raw`` last.
        """
        own = {key: value for key, value in raw.items() if key != CONFIGS}
        names = [] if raw.get(CONFIGS) is None else raw[CONFIGS]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            message = (
                "The value of `configs` is not a list of paths: `configs: [configs/base.yaml]`."
            )
            self._refuse(message, (CONFIGS,), above)
            return own
        merged: dict[str, Any] = {}
        for number, name in enumerate(names):
            with self._problems.collecting():
                merged = lay_over(merged, self._file(name, (CONFIGS, number), above))
        return lay_over(merged, own)

    def _file(
        self, name: str, pointer: tuple[str | int, ...], above: tuple[ConfigPath, ...]
    ) -> dict[str, Any]:
        place = place_in(self._root, name, format_pointer(pointer))
        if any(place.path == other.path for other in above):
            circle = " → ".join(quote(other.name, 200) for other in (*above, place))
            self._refuse(f"Configuration files go in a circle: {circle}.", pointer, above)
            return {}
        if place.path not in self._merged:
            if len(above) == _MAX_DEPTH:
                self._refuse(f"More than {_MAX_DEPTH} files build on one another.", pointer, above)
                return {}
            digest = digest_file(place.path)
            self.files[place.name] = {"path": place.name, **digest._asdict()}
            raw = read_yaml_object(place.path)
            self._merged[place.path] = self.merge(raw, (*above, place))
        return self._merged[place.path]

    def _refuse(
        self, message: str, pointer: tuple[str | int, ...], above: tuple[ConfigPath, ...]
    ) -> None:
        self._problems.add(
            RunForgeError(
                ErrorCode.EXPERIMENT_INVALID,
                message,
                pointer=format_pointer(pointer),
                path=above[-1].name,
            )
        )


def lay_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return ``below`` with the values of ``above``; objects are merged, other values replaced."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            value = lay_over(known, value)
        merged[key] = value
    return merged
