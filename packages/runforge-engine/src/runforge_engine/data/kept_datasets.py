"""Find the datasets that stores keep as files named by their digest.

These are data frames, and datasets of bundles and other stores whose recorded path was not free.

Source: specification, sections 11.1, 22.3 and 23.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.moved_store import is_stray_link

from runforge_engine.data.dataset_source import DatasetSource, dataset_path, read_source

#: Folder of a store for these files.
DATASETS = "datasets"
#: Endings of files that are put at the recorded path of a dataset: no program runs such a file.
DATASET_ENDINGS = (".csv", ".csv.gz", ".parquet")


def kept_dataset(sha256: str, stores: Iterable[StoreLayout]) -> Path | None:
    """Return the file with this digest that one of the stores keeps; None if none does.

    The bytes are read and compared with the digest; links are not followed.
    """
    for store in stores:
        folder = store.root / DATASETS
        if is_stray_link(store.root) or folder.is_symlink():
            continue
        for ending in DATASET_ENDINGS:
            path = folder / f"{sha256}{ending}"
            try:
                if digest_file(path).sha256 == sha256:
                    return path
            except RunForgeError:
                continue
    return None


def read_recorded(recorded: str, sha256: str, run: Path, workspace: Path) -> DatasetSource:
    """Read the dataset of a run: the file at its path, or a copy if that has other bytes.

    Parameters
    ----------
    recorded
        The path in the run's documents.
    sha256
        The fingerprint in the run's documents. Where no copy has it, the file at the path is
        returned, whatever its bytes are.
    run
        The run folder.
    workspace
        The folder that the path is relative to.

    Raises
    ------
    RunForgeError
        What :func:`~runforge_engine.data.dataset_source.read_source` raises for the path.
    """
    failure, source = None, None
    try:
        source = read_source(dataset_path(recorded, workspace))
    except RunForgeError as error:
        failure = error
    if source is None or source.sha256 != sha256:
        kept = kept_dataset(sha256, stores_of(run, workspace))
        if kept is not None:
            return read_source(kept)
    if source is None:
        assert failure is not None  # noqa: S101 - one of the two is set
        raise failure
    return source


def stores_of(folder: Path, workspace: Path) -> list[StoreLayout]:
    """Return the stores whose datasets a run may use: its own, and those of the workspace.

    Parameters
    ----------
    folder
        The run folder.
    workspace
        The folder that the path of its dataset is relative to.
    """
    stores = stores_in(workspace)
    root = folder.absolute().parents[1]
    if folder.absolute().parent.name == "runs" and root.parent == workspace.absolute():
        own = StoreLayout(workspace, root.name)
        return [own, *(store for store in stores if store != own)]
    return stores
