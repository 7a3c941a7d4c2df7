"""Settings of runs whose index entries do not have them, read from the documents of the runs.

Entries of an index have the seed, the hyperparameters and the group of a run since sweeps exist.
Older entries, and those of other clients, never change, so the settings of these runs are in their
folders alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.selection.run_values import is_older
from runforge_contracts.store.layout import Place, StoreLayout
from runforge_contracts.store.reading import locate_run
from runforge_contracts.store.run import Run

#: A run in a list: its entry, and the store that it is in.
Listed = tuple[dict[str, Any], Place]


class SettingsReader:
    """Reads the settings that entries lack, of each run once."""

    def __init__(self) -> None:
        self._read: dict[tuple[Place, str], dict[str, Any]] = {}

    @property
    def count(self) -> int:
        """The number of runs whose folders were read."""
        return len(self._read)

    def completed(self, rows: Sequence[Listed]) -> list[Listed]:
        """Return the rows, in which older entries are completed; the rows given stay unchanged."""
        return [
            (self.entry(entry, store), store) if is_older(entry) else (entry, store)
            for entry, store in rows
        ]

    def entry(self, entry: dict[str, Any], store: Place) -> dict[str, Any]:
        """Return an older entry with the settings that the documents of its run have.

        An entry whose run cannot be read is returned as it is.
        """
        if not isinstance(store, StoreLayout):
            return entry
        key = (store, entry["run_dir"])
        if key not in self._read:
            try:
                self._read[key] = settings_of(Run(locate_run(entry, store)))
            except RunForgeError:
                self._read[key] = {}
        return {**entry, **self._read[key]}


def settings_of(run: Run) -> dict[str, Any]:
    """Return the seed, the hyperparameters and the group of a run, as index entries have them.

    The hyperparameters are the values that were used, or those that were asked for where no
    document has the former. What no document has is absent.

    Raises
    ------
    RunForgeError
        If a document cannot be read.
    """
    record = run.record or {}
    used = record.get("hyperparameters")
    found: dict[str, Any] = {}
    if isinstance(used, list) and "seed" in record:
        # Reading one document of three takes a third of the time.
        found["seed"] = record["seed"]
        found["hyperparameters"] = _values({item["name"]: item["value"] for item in used})
        return found
    request, result = run.request or {}, run.result or {}
    config = result.get("effective_config") or {}
    for seed in (record.get("seed"), config.get("seed"), request.get("seed")):
        if seed is not None:
            found["seed"] = seed
            break
    if isinstance(used, list):
        found["hyperparameters"] = _values({item["name"]: item["value"] for item in used})
    else:
        for asked in (config.get("model"), request.get("model")):
            if asked and isinstance(asked.get("hyperparameters"), dict):
                found["hyperparameters"] = _values(asked["hyperparameters"])
                break
    if isinstance(request.get("sweep_group_id"), str):
        found["group_id"] = request["sweep_group_id"]
    return found


def _values(values: dict[str, Any]) -> dict[str, Any]:
    """Return hyperparameters without those that are no single value."""
    return {name: value for name, value in values.items() if not isinstance(value, dict | list)}
