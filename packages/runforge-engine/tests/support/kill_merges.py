"""Merges that are killed at the boundaries of system calls, and what they leave.

    python kill_merges.py FIRST STEP

As ``kill_unbundles.py``.
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
from runforge_engine.merging.merge_stores import merge_store  # noqa: E402
from runforge_engine.merging.other_store import open_other  # noqa: E402
from runforge_engine.verification.verify_store import verify_store  # noqa: E402


def merged(other: Path, workspace: Path) -> None:
    """Merge the store of a workspace into that of another one."""
    store = StoreLayout(workspace)
    merge_store(open_other(other, store), store, created_by="tests@1")


def main(first: int, step: int) -> None:
    """Kill one process after the other, and print how many runs were there afterwards."""
    outcomes: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as name:
        other, before = Path(name, "other").resolve(), Path(name, "before").resolve()
        for number, folder in enumerate((other, before, other)):
            folder.mkdir(exist_ok=True)
            train_and_sign(folder, number)
        own, theirs = tree(before / ".runforge/runs"), tree(other / ".runforge/runs")
        number, again = first, True
        while again:
            workspace = other.with_name(f"receiver-{number}")
            shutil.copytree(before, workspace)
            store = StoreLayout(workspace)
            again = killed(workspace, number, partial(merged, other, workspace))
            left = tree(store.runs)
            assert own.items() <= left.items(), number
            assert left.items() <= (own | theirs).items(), number
            whole = {place.partition("/")[0] for place in left}
            assert all(place in left for place in theirs if place.partition("/")[0] in whole), (
                number
            )
            outcomes[len(whole)] += 1
            merged(other, workspace)
            assert tree(store.runs) == own | theirs, number
            assert len(tree(store.signatures)) == 3, number
            assert verify_store(store).holds, number
            hidden = [path.name for path in store.root.iterdir() if "incoming" in path.name]
            assert not hidden, hidden
            number += step
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
