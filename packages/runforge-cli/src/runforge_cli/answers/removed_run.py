"""What is known of a run that was forgotten or archived: its line of the record, and its entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runforge_contracts.display import printable, time_text
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.aliases import find_aliases
from runforge_contracts.store.reading import read_index
from runforge_contracts.store.removals import place_of, read_removals, restore_command, stores_of
from runforge_contracts.store.removed_lookup import find_removed

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import pairs, plural


def removed_document(reference: str, settings: Settings) -> dict[str, Any] | None:
    """Return what is known of the removed run that an id, its start or an alias names.

    None if it names no removed run, or several.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` if the record of a store is not valid.
    """
    stores = stores_of(settings.places())
    aliased = find_aliases(reference.removeprefix("alias:"), stores)
    wanted = aliased[0].entry["run_id"] if aliased else reference
    # A path of the folder names the run, too.
    name = Path(wanted).name
    found = find_removed(name, stores) if name else []
    if len(found) != 1:
        return None
    [(line, store)] = found
    try:
        entries = [entry for entry in read_index(store) if entry["run_id"] == line["run_id"]]
    except RunForgeError:
        entries = []
    folder = place_of(line, store).run_folder(line["run_id"])
    document = {
        "run_id": line["run_id"],
        "run_dir": store.relative(folder),
        "removed": line["action"],
        "removal": line,
    }
    if later := read_removals(store).removals[line["run_id"]][1:]:
        document["later"] = later
    return {**document, "entry": entries[0]} if entries else document


def removed_lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield what ``show`` prints of a removed run."""
    line = document["removal"]
    entry = document.get("entry") or line.get("listed", {})
    yield f"Run {document['run_id']}: {document['removed']}"
    rows = [(name, str(entry[key])) for name, key in _ROWS if entry.get(key)]
    metrics = entry.get("summary", {}).get("final_metrics", {})
    rows += [(name, f"{value:.4f}") for name, value in metrics.items()]
    size = sum(item["bytes"] for item in line["files"].values())
    rows.append(("files", f"{plural(len(line['files']), 'file')}, {size:,} bytes"))
    rows.append((document["removed"], time_text(line["recorded_at"])))
    for name in ("because", "created_by"):
        if name in line:
            rows.append(({"created_by": "by"}.get(name, name), line[name]))
    if "despite" in line:
        rows.append(("despite", ", ".join(line["despite"])))
    if "also" in line:
        rows.append(("also removed", ", ".join(line["also"])))
    gone = set(line.get("also", ()))
    for later in document.get("later", ()):
        taken = [name for name in later.get("also", ()) if name not in gone]
        gone.update(taken)
        why = f": {later['because']}" if "because" in later else ""
        when = time_text(later["recorded_at"])
        rows.append(("later", f"{when}, {', '.join(taken) or 'nothing more'} removed{why}"))
    if "signature_sha256" in line:
        rows.append(("signature", "kept; it is of the recorded files"))
    if "archive" in line:
        rows.append(("archive", line["archive"]["name"]))
        rows.append(("restore", restore_command(line)))
    shown = [(name, printable(text)) for name, text in rows]
    yield from pairs(shown, indent=2, commands=["restore"])


_ROWS = (
    ("name", "name"),
    ("status", "status"),
    ("created", "created_at"),
    ("model", "model_family"),
    ("dataset sha256", "dataset_fingerprint_sha256"),
    ("model sha256", "model_sha256"),
)
