"""Archives and restorations that are killed at the boundaries of system calls, and what they leave.

    python kill_archives.py FIRST STEP NAME

As ``kill_unbundles.py``; NAME is that of the archive, a folder or one file.
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
from runforge_contracts.store.reading import run_folders  # noqa: E402
from runforge_contracts.store.removals import read_removals  # noqa: E402
from runforge_contracts.store.run import Run  # noqa: E402
from runforge_engine.archiving.archive_runs import archive_runs  # noqa: E402
from runforge_engine.archiving.open_archive import opened_archive  # noqa: E402
from runforge_engine.archiving.restore_runs import restore_runs  # noqa: E402
from runforge_engine.verification.verify_store import verify_store  # noqa: E402


def archived(workspace: Path, archive: Path) -> None:
    """Archive every run that is not yet."""
    store = StoreLayout(workspace)
    removed = read_removals(store).current
    runs = [Run(folder) for folder in run_folders(store) if folder.name not in removed]
    archive_runs(runs, store, archive, created_by="tests@1", with_dataset=True)


def restored(workspace: Path, archive: Path) -> None:
    """Restore every run that is not yet."""
    store = StoreLayout(workspace)
    if read_removals(store).current:
        with opened_archive(archive) as opened:
            restore_runs([opened], (), store, created_by="tests@1")


def whole_runs(runs: Path, expected: dict[str, bytes]) -> set[str]:
    """Return the runs that are there; each must have all of its files, as they were."""
    found = tree(runs)
    names = {place.partition("/")[0] for place in found}
    wanted = {place: data for place, data in expected.items() if place.partition("/")[0] in names}
    assert found == wanted, sorted(found.keys() ^ wanted.keys())
    return names


def has_copy(workspace: Path) -> bool:
    """Return whether a store has the dataset of the runs."""
    return len(tree(workspace / ".runforge/datasets")) == 1


def in_archive(archive: Path, expected: dict[str, bytes]) -> set[str]:
    """Return the runs in the archive."""
    if not archive.exists() or not (archive.is_file() or (archive / ".runforge").is_dir()):
        return set()
    with opened_archive(archive) as opened:
        there = whole_runs(opened.layout.runs, expected)
        assert has_copy(opened.layout.workspace) or not there
        return there


def check_done(place: Path, expected: dict[str, bytes], *, is_archived: bool) -> None:
    """Check that everything is where it must be, and that nothing is left over."""
    store = StoreLayout(place / "workspace")
    assert verify_store(store).holds
    assert bool(tree(store.runs)) != is_archived
    assert has_copy(store.workspace) != is_archived
    assert len(tree(store.signatures)) == 2
    hidden = [path for path in place.rglob(".*-*") if path.name.startswith((".inc", ".rem"))]
    assert not hidden, hidden


def main(first: int, step: int, name: str) -> None:
    """Kill one process after the other, and print how many runs were here and in the archive."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        before = root / "before/workspace"
        before.mkdir(parents=True)
        for seed in (1, 2):
            train_and_sign(before, seed, kept=True)
        expected = tree(before / ".runforge/runs")
        every = {place.partition("/")[0] for place in expected}
        for work, start in ((archived, "before"), (restored, "away")):
            number, again = first, True
            while again:
                place = root / f"{work.__name__}-{number}"
                shutil.copytree(root / start, place, symlinks=True)
                workspace, archive = place / "workspace", place / name
                again = killed(place, number, partial(work, workspace, archive), {"os.remove"})
                here = whole_runs(workspace / ".runforge/runs", expected)
                there = in_archive(archive, expected)
                assert here | there == every, (number, here, there)
                assert has_copy(workspace) or there == every, number
                assert verify_store(StoreLayout(workspace)).holds, number
                outcomes[f"{work.__name__}: {len(here)} here, {len(there)} there"] += 1
                work(workspace, archive)
                assert in_archive(archive, expected) == every, number
                check_done(place, expected, is_archived=work is archived)
                if not again and work is archived:
                    place.rename(root / "away")
                else:
                    shutil.rmtree(place)
                number += step
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
