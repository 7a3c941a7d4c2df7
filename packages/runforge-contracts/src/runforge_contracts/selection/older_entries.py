"""Settings of runs whose index entries do not have them, read from the documents of the runs.

Entries of an index have the seed, the hyperparameters and the group of a run, and the run that it
repeats, since sweeps exist. Older entries, and those of other clients, never change, so these
values are in the folders of the runs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.codec.strict_json import MAX_BYTES, parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.run_ids import is_run_id
from runforge_contracts.selection.run_values import is_older
from runforge_contracts.store import layout
from runforge_contracts.store.layout import Place, StoreLayout

if TYPE_CHECKING:
    from runforge_contracts.store.run import Run

#: A run in a list: its entry, and the store that it is in.
Listed = tuple[dict[str, Any], Place]
#: The version of the records that have a seed and hyperparameters.
_RECORD = "run.v0.4.0"


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
            self._read[key] = _recorded(entry, store) or _documented(entry, store)
        return {**entry, **self._read[key]}


def _recorded(entry: dict[str, Any], store: StoreLayout) -> dict[str, Any] | None:
    """Return the settings in the record of a run; None if all of its documents are needed.

    Validation of the documents would take most of the time of a list, and is not needed here: what
    has another form than these values is left to it.
    """
    run_id = entry["run_id"]
    folder: Path = store.run_folder(run_id)
    if not is_run_id(run_id) or entry["run_dir"] != store.relative(folder):
        return None
    raw, request = _parsed(folder / layout.RUN), _parsed(folder / layout.REQUEST) or {}
    if raw is None or raw.get("schema_version") != _RECORD:
        return None
    seed, used = raw.get("seed"), raw.get("hyperparameters")
    if type(seed) is not int or not isinstance(used, list):
        return None
    values = {}
    for item in used:
        if not isinstance(item, dict) or not item.keys() >= {"name", "value"}:
            return None
        if not isinstance(item["name"], str):
            return None
        values[item["name"]] = item["value"]
    return {"seed": seed, "hyperparameters": _values(values), **_relations(request)}


def _parsed(path: Path) -> dict[str, Any] | None:
    """Return the object in a file; None if it has none, or cannot be read."""
    try:
        raw = parse_json(read_file(path, max_bytes=MAX_BYTES))
    except RunForgeError:
        return None
    return raw if isinstance(raw, dict) else None


def _relations(request: dict[str, Any]) -> dict[str, Any]:
    """Return the group of a run and the run that it repeats, as far as its request names them."""
    from runforge_contracts.store.reading import group_of, parent_of

    found = {"group_id": group_of(request), "rerun_from": parent_of(request)}
    return {name: value for name, value in found.items() if value is not None}


def _documented(entry: dict[str, Any], store: StoreLayout) -> dict[str, Any]:
    """Return the settings in the documents of a run; empty if they cannot be read."""
    # Late: a list of runs whose entries have their settings reads no documents.
    from runforge_contracts.store.reading import locate_run
    from runforge_contracts.store.run import Run

    try:
        return settings_of(Run(locate_run(entry, store)))
    except RunForgeError:
        return {}


def settings_of(run: Run) -> dict[str, Any]:
    """Return seed, hyperparameters, group and parent of a run, as index entries have them.

    The hyperparameters are the values that were used, or those that were asked for where no
    document has the former. What no document has is absent.

    Raises
    ------
    RunForgeError
        If a document cannot be read.
    """
    record, request = run.record or {}, run.request or {}
    used = record.get("hyperparameters")
    found = _relations(request)
    if isinstance(used, list) and "seed" in record:
        # Without the third document, which takes a third of the time.
        found["seed"] = record["seed"]
        found["hyperparameters"] = _values({item["name"]: item["value"] for item in used})
        return found
    config = (run.result or {}).get("effective_config") or {}
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
    return found


def _values(values: dict[str, Any]) -> dict[str, Any]:
    """Return hyperparameters without those that are no single value."""
    return {name: value for name, value in values.items() if not isinstance(value, dict | list)}
