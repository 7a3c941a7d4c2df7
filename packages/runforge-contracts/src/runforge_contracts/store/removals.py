"""The record of the runs of a store that were forgotten, archived and restored.

The record is a file of JSON Lines to which lines are only appended; the last line about a run
decides. Lists leave removed runs out, and what was known of them is in their lines. Nothing here
writes.

Source: specification, chapter 25.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, TypedDict

from runforge_contracts.codec.strict_json import canonical_json
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.store.chained_lines import ChainedLines, read_chained_lines
from runforge_contracts.store.layout import EVALUATION, ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.moved_store import is_stray_link

#: Largest record that is read, in bytes: some hundred thousand lines.
MAX_BYTES = 256 * 2**20
#: The last line about a run that is not here.
Removed = Literal["forgotten", "archived"]


class RemovalRecord(ChainedLines):
    """The lines of a record, in the order in which they were appended."""

    @cached_property
    def current(self) -> dict[str, dict[str, Any]]:
        """The last line about each run that is removed, by run id."""
        last = {entry["run_id"]: entry for entry in self.entries}
        return {name: entry for name, entry in last.items() if entry["action"] != "restored"}

    @cached_property
    def removals(self) -> dict[str, list[dict[str, Any]]]:
        """The lines about the present removal of each run, by run id.

        The first one has the reason; later ones remove what it had left, and have all of it.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.entries:
            lines = found.setdefault(entry["run_id"], [])
            if lines and lines[-1]["action"] != entry["action"]:
                lines.clear()
            lines.append(entry)
        return {run_id: found[run_id] for run_id in self.current}

    @cached_property
    def evaluations(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The evaluations that went with removed runs: the run, and digest and size of each."""
        return {
            evaluation_id: (run_id, item)
            for run_id, line in self.current.items()
            for name, item in line.get("also", {}).items()
            if (evaluation_id := evaluation_in(name)) is not None
        }

    def about(self, run_id: str) -> list[dict[str, Any]]:
        """Return the lines about a run, oldest first."""
        return [entry for entry in self.entries if entry["run_id"] == run_id]


class _Decision(TypedDict):
    """What lists need of a line."""

    action: Removed | Literal["restored"]
    run_id: str


def read_removals(store: StoreLayout) -> RemovalRecord:
    """Return the record of the removed runs of a store; empty if there is none.

    A last line that its writer did not finish is left out.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.store.chained_lines.read_chained_lines`.
    """
    return read_chained_lines(
        RemovalRecord,
        store,
        store.removals,
        "run_removal.v1",
        "The record of removed runs",
        max_bytes=MAX_BYTES,
    )


def removed_runs(place: Place) -> Mapping[str, Removed]:
    """Return the runs that lists leave out: ``forgotten`` or ``archived`` by run id.

    Only as much of each line is read as is needed for that; a record in which a line cannot be read
    counts as empty, and :func:`read_removals` has the error.

    Parameters
    ----------
    place
        A store, or the experiments of a workspace, whose removed runs are in its first store.
    """
    store = store_of(place)
    try:
        if is_stray_link(store.root):
            return {}
        data = read_file(store.removals, max_bytes=MAX_BYTES)
    except RunForgeError:
        return {}  # As in most stores, which have no such file.
    import msgspec  # late, as in the codec

    decode = msgspec.json.Decoder(_Decision).decode
    try:
        lines = [*map(decode, data[: data.rfind(b"\n") + 1].splitlines())]
    except (msgspec.MsgspecError, RecursionError):
        return {}
    last = {line["run_id"]: line["action"] for line in lines}
    return {run_id: action for run_id, action in last.items() if action != "restored"}


def store_of(place: Place) -> StoreLayout:
    """Return the store whose record is about the runs of a place."""
    return StoreLayout(place.workspace) if isinstance(place, ExperimentLayout) else place


def find_removals(
    reference: str, stores: Iterable[StoreLayout]
) -> list[tuple[dict[str, Any], StoreLayout]]:
    """Return the lines that removed the runs that a reference names, by an id or the start of one.

    An id that is given whole names that run alone.

    Raises
    ------
    RunForgeError
        As :func:`read_removals`.
    """
    found = [
        (lines[0], store)
        for store in stores
        if store.removals.exists()
        for run_id, lines in read_removals(store).removals.items()
        if run_id.startswith(reference)
    ]
    return [pair for pair in found if pair[0]["run_id"] == reference] or found


def stores_of(places: Iterable[Place]) -> list[StoreLayout]:
    """Return the stores that have the records of removed runs of some places."""
    return list(dict.fromkeys(map(store_of, places)))


def removed_run(line: Mapping[str, Any]) -> RunForgeError:
    """Return the error on a run that was forgotten or archived."""
    run_id, since = line["run_id"], line["recorded_at"]
    because = f": {printable(line['because'])}" if "because" in line else ""
    hint = f"`runforge show {run_id}` prints what is known of it."
    if "archive" in line:
        hint += f" `{restore_command(line)}` brings it back."
    return RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"The run {quote(run_id)} was {line['action']} at {since}{because}.",
        hint=hint,
    )


def restore_command(line: Mapping[str, Any]) -> str:
    """Return the command that brings an archived run back, as a shell takes it."""
    import shlex  # late: most lists have no use for it

    # The record may have come from another store, and a command is copied as it stands.
    archive = shlex.quote(printable(line["archive"]["name"]))
    return f"runforge store restore {archive} {line['run_id']}"


def other_than_removed(line: Mapping[str, Any], files: Mapping[str, str]) -> list[str]:
    """Return the files, given with their SHA-256, in which a run differs from the removed one."""
    removed = {name: item["sha256"] for name, item in line["files"].items()}
    names = {*removed, *files}
    return sorted(name for name in names if removed.get(name) != files.get(name))


def entry_digest(entry: Mapping[str, Any]) -> str:
    """Return the digest of an entry of an index that a line has, the same in every store."""
    import hashlib  # late, as in the hash chain

    from runforge_contracts.store.merges import without_place

    return hashlib.sha256(canonical_json(without_place(entry))).hexdigest()


def evaluation_in(name: str) -> str | None:
    """Return the evaluation whose document has a path in a store; None for another path."""
    # Late: lists of runs read no evaluations.
    from runforge_contracts.store.evaluations import is_evaluation_id

    folder, _, rest = name.partition("/")
    evaluation_id, _, file = rest.partition("/")
    is_document = (folder, file) == ("evaluations", EVALUATION) and is_evaluation_id(evaluation_id)
    return evaluation_id if is_document else None


def place_of(entry: Mapping[str, Any], store: StoreLayout) -> Place:
    """Return where the folder of the run of a line was: the store, or the experiments."""
    is_experiment = parse_experiment_run_id(entry["run_id"]) is not None
    return ExperimentLayout(store.workspace) if is_experiment else store
