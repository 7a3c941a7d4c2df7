"""Removals of runs that are killed at the boundaries of system calls, and what they leave.

    python kill_forgets.py FIRST STEP

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
from runforge_contracts.store.reading import list_runs  # noqa: E402
from runforge_contracts.store.removals import read_removals, removed_runs  # noqa: E402
from runforge_contracts.store.run import Run  # noqa: E402
from runforge_engine.removing.forget_runs import plan_forgetting  # noqa: E402
from runforge_engine.removing.tidy_store import tidy_store  # noqa: E402
from runforge_engine.verification.verify_store import verify_store  # noqa: E402

#: The calls that remove a folder name what is in it relative to the open folder.
ANYWHERE = {"os.remove", "os.rmdir"}


def forget(workspace: Path, run_ids: list[str]) -> None:
    """Forget runs of the store of a workspace."""
    store = StoreLayout(workspace)
    runs = [Run(store.run_folder(run_id)) for run_id in run_ids]
    plan_forgetting(store, runs, because="a test", created_by="tests@1").carry_out()


def tidied(workspace: Path) -> None:
    """Finish what was left in the store of a workspace."""
    tidy_store(StoreLayout(workspace), created_by="tests@1")


def main(first: int, step: int) -> None:
    """Kill one process after the other, and print how many runs were removed afterwards."""
    outcomes: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as name:
        before = Path(name, "before").resolve()
        before.mkdir()
        *gone, kept = [train_and_sign(before, number).name for number in range(3)]
        whole = tree(before / ".runforge/runs")
        others = {path: data for path, data in whole.items() if path.startswith(kept)}
        number, again = first, True
        while again:
            workspace = before.with_name(f"store-{number}")
            shutil.copytree(before, workspace)
            store = StoreLayout(workspace)
            again = killed(workspace, number, partial(forget, workspace, gone), ANYWHERE)
            removed = removed_runs(store)
            assert set(removed) in (set(), set(gone)), number  # all lines, or none
            left = tree(store.runs)
            assert others.items() <= left.items() <= whole.items(), number
            if not removed:
                assert left == whole, number
            shown = [entry["run_id"] for entry in list_runs(store)]
            assert set(shown) == {kept, *gone} - removed.keys(), number
            assert verify_store(store).holds, number
            outcomes[len(removed)] += 1
            if not removed:
                forget(workspace, gone)
            else:
                # Finishing is killed as well, once, and called again.
                killed(workspace, 1 + number % 40, partial(tidied, workspace), ANYWHERE)
                assert verify_store(store).holds, number
            tidied(workspace)
            assert tree(store.runs) == others, number
            assert len(tree(store.signatures)) == 3, number
            assert len(read_removals(store).entries) == 2, number
            assert verify_store(store).holds, number
            hidden = [path.name for path in store.root.iterdir() if path.name[:9] == ".removed-"]
            assert not hidden, hidden
            temporary = [path.name for path in store.root.iterdir() if path.suffix == ".tmp"]
            assert not temporary, temporary
            shutil.rmtree(workspace)
            number += step
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
