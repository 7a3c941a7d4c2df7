"""Unbundlings that are killed at the boundaries of system calls, and what they leave.

    python kill_unbundles.py FIRST STEP

Each runs in a process that was forked from this one, and is killed before the call that touches the
workspace whose number is FIRST, FIRST + STEP and so on, until one is not killed.
"""

from __future__ import annotations

from runforge_engine.runtime.numeric_environment import pin_environment

pin_environment()

import hashlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Callable, Container  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from real_data import write_dataset  # noqa: E402
from runforge_contracts.store.layout import StoreLayout  # noqa: E402
from runforge_contracts.store.reading import read_store_index  # noqa: E402
from runforge_contracts.store.run import Run  # noqa: E402
from runforge_engine.bundles.bundle_reader import opened_bundle  # noqa: E402
from runforge_engine.bundles.bundle_writer import write_bundle  # noqa: E402
from runforge_engine.bundles.unbundle import unbundle  # noqa: E402
from runforge_engine.pipeline.execute import execute  # noqa: E402
from runforge_engine.pipeline.request import new_request  # noqa: E402
from runforge_engine.provenance.keys import generate_key  # noqa: E402
from runforge_engine.provenance.signatures import sign_folder  # noqa: E402
from runforge_engine.store.index_chain import Chain  # noqa: E402
from runforge_engine.verification.verify_store import verify_store  # noqa: E402

#: Audit events of the calls that change what lies on the disk, or open a file for it.
EVENTS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.chmod", "shutil.rmtree"}


def make_bundle(folder: Path) -> tuple[Path, Path]:
    """Train, sign and bundle a run; return the bundle and the folder of the run."""
    run = train_and_sign(folder)
    bundle = folder / "run.rfz"
    write_bundle(Run(run), bundle, created_by="tests@1", with_dataset=True)
    return bundle, run


def train_and_sign(folder: Path, seed: int = 42, *, kept: bool = False) -> Path:
    """Train and sign a run in a workspace, and return its folder.

    With ``kept`` it is trained on a copy that the store keeps, as those of data frames.
    """
    path, label, _ = write_dataset("iris", folder)
    if kept:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        copy = folder / f".runforge/datasets/{digest}.csv"
        copy.parent.mkdir(parents=True, exist_ok=True)
        path = path.rename(copy)
    store = StoreLayout(folder)
    request = new_request(
        dataset=path, label_column=label, store=store, created_by="tests@1", seed=seed
    )
    run = execute(request, store).run_dir
    index = read_store_index(store)
    assert index is not None
    sign_folder(
        run,
        generate_key(folder / f"key-{seed}").private_key,
        index_head=Chain(index.raw_entries).head,
        origin=index.origin,
    )
    return run


def killed(
    workspace: Path, number: int, work: Callable[[], object], anywhere: Container[str] = ()
) -> bool:
    """Do some work in another process, killed before its call ``number``; return whether it was.

    Calls whose events are in ``anywhere`` count whatever they name: a path may be relative to an
    open folder.
    """
    child = os.fork()
    if child == 0:
        seen, root = [0], str(workspace)

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            here = event in EVENTS and any(root in str(item) for item in arguments[:2])
            # A renaming may name what is in an open folder.
            is_relative = event == "os.rename" and arguments[2] != -1
            if here or is_relative or event in anywhere:
                seen[0] += 1
                if seen[0] == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        work()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def unbundled(bundle: Path, workspace: Path) -> None:
    """Unbundle into the store of a workspace."""
    with opened_bundle(bundle, workspace) as opened:
        unbundle(opened, StoreLayout(workspace))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def main(first: int, step: int) -> None:
    """Kill one process after the other, and print how often the run was there afterwards."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        sender = Path(name, "sender").resolve()
        sender.mkdir()
        bundle, run = make_bundle(sender)
        expected = tree(run)
        number, again = first, True
        while again:
            workspace = sender.with_name(f"receiver-{number}")
            workspace.mkdir()
            store = StoreLayout(workspace)
            again = killed(workspace, number, partial(unbundled, bundle, workspace))
            left = sorted(store.runs.iterdir()) if store.runs.is_dir() else []
            assert [path.name for path in left] in ([], [run.name]), left
            assert all(tree(path) == expected for path in left), number
            outcomes["whole" if left else "none"] += 1
            unbundled(bundle, workspace)
            assert tree(store.run_folder(run.name)) == expected
            assert verify_store(store).holds, number
            hidden = [path.name for path in store.root.iterdir() if "incoming" in path.name]
            assert not hidden, hidden
            number += step
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
