"""Moves of a store that are killed at the boundaries of system calls, and what they leave.

    python kill_moves.py FIRST STEP

As ``kill_unbundles.py``: to another disk, from there to a third place, and back again.
"""

from __future__ import annotations

from runforge_engine.runtime.numeric_environment import pin_environment

pin_environment()

import json  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections import Counter  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

from kill_unbundles import killed, train_and_sign, tree  # noqa: E402
from runforge_contracts.store.layout import StoreLayout  # noqa: E402
from runforge_engine.moving.move_store import move_store  # noqa: E402
from runforge_engine.verification.verify_store import verify_store  # noqa: E402

ANYWHERE = {"os.symlink", "os.utime", "os.remove", "os.rmdir"}
#: Each move, from where to where.
MOVES = (("workspace", "disk"), ("disk", "disk-2"), ("disk-2", "workspace"))


def move(workspace: Path, folder: Path) -> None:
    """Move the store of a workspace into a folder."""
    move_store(StoreLayout(workspace), folder, created_by="tests@1")


def content(store: StoreLayout) -> dict[str, bytes]:
    """Return what a store has, wherever it lies."""
    found = tree(store.root.resolve())
    return {name: data for name, data in found.items() if name not in ("place.json", "index.lock")}


def main(first: int, step: int) -> None:
    """Kill one process after the other, and print where the store was afterwards."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        # Every number has the same path, which the store names.
        place, start = root / "place", root / "start"
        workspace = place / "workspace"
        workspace.mkdir(parents=True)
        for seed in (1, 2):
            train_and_sign(workspace, seed)
        expected = content(StoreLayout(workspace))
        for source, target in MOVES:
            place.rename(start)
            number, again = first, True
            while again:
                shutil.copytree(start, place, symlinks=True)
                store = StoreLayout(workspace)
                again = killed(place, number, partial(move, workspace, place / target), ANYWHERE)
                assert content(store) == expected, (target, number)
                assert verify_store(store).holds, (target, number)
                lies = store.root.resolve().parent.name
                assert lies in (source, target)
                outcomes[f"to {target}: in {lies}"] += 1
                move(workspace, place / target)
                assert store.root.resolve() == place / target / ".runforge", number
                assert content(store) == expected, (target, number)
                assert verify_store(store).holds, (target, number)
                left = [path for path in place.glob("*/.*") if path.name != ".runforge"]
                assert not left, (target, number, left)
                stores = [path.parent.name for path in place.glob("*/.runforge")]
                assert sorted(stores) == sorted({"workspace", target}), (target, number, stores)
                number += step
                if again:
                    shutil.rmtree(place)
            shutil.rmtree(start)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
