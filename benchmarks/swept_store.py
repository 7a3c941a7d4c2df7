"""Fill a workspace with copies of the sweep that it has, and with runs in no sweep.

    python benchmarks/swept_store.py WORKSPACE SWEEPS RUNS

Every copy has a plan, a record and runs with documents, under ids and times of its own, but no
models. The runs in no sweep are entries of the index with empty folders.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store.layout import GROUP, StoreLayout
from runforge_contracts.sweeps.groups import find_group
from store import BEGIN, entry

#: How long after the other each copy of the sweep begins.
_APART = timedelta(minutes=10)


def fill(workspace: Path, sweeps: int, runs: int) -> None:
    """Add copies of the newest sweep, and runs in no sweep, all older than what there is."""
    store = StoreLayout(workspace)
    model = find_group("latest", [store])
    text = {path.name: path.read_text("utf-8") for path in model.path.glob("*.json")}
    index = json.loads(store.index.read_bytes())
    members = [item for item in index["runs"] if item.get("group_id") == model.id]
    documents = {
        item["run_id"]: {
            path.name: path.read_text("utf-8")
            for path in store.run_folder(item["run_id"]).glob("*.json")
        }
        for item in members
    }
    entries = [entry(number) for number in range(runs)]
    for item in entries:
        store.run_folder(item["run_id"]).mkdir()
    for number in range(sweeps):
        began = BEGIN + number * _APART
        ids = {model.id: f"grp_{began:%Y%m%d_%H%M%S}_sweep"}
        for at, item in enumerate(members):
            time = began + timedelta(seconds=at)
            ids[item["run_id"]] = f"{time:%Y%m%d-%H%M%S}-{number * len(members) + at:08x}"
        times = {str(model.created_at): f"{began:%Y-%m-%dT%H:%M:%SZ}"}
        folder = store.group_folder(ids[model.id])
        folder.mkdir()
        for name, content in text.items():
            renamed = _replaced(content, {**ids, **(times if name == GROUP else {})})
            (folder / name).write_text(renamed, "utf-8")
        for item in members:
            copy = json.loads(_replaced(json.dumps(item), ids))
            entries.append({**copy, "created_at": times[str(model.created_at)]})
            folder = store.run_folder(copy["run_id"])
            folder.mkdir()
            for name, content in documents[item["run_id"]].items():
                (folder / name).write_text(_replaced(content, ids), "utf-8")
    entries.sort(key=lambda item: item["run_id"])
    index["runs"] = [*entries, *index["runs"]]
    store.index.write_bytes(encode_json(index))


def _replaced(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    fill(Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3]))
