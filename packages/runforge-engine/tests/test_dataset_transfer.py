"""A dataset arrives at a worker complete and unchanged, or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from runforge_contracts.errors import RunForgeError
from runforge_engine.distributed import dataset_transfer
from runforge_engine.distributed.dataset_transfer import FileCache, LocalDataset


def send(dataset: LocalDataset, cache: FileCache) -> None:
    for offset, piece in dataset.pieces():
        last = offset + len(piece) == dataset.bytes
        cache.receive(dataset.sha256, offset, piece, last=last)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 95])
def test_a_dataset_arrives(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_transfer, "PIECE", 10)
    data = os.urandom(size)
    (tmp_path / "data.csv").write_bytes(data)
    (tmp_path / "cache").mkdir()
    dataset, cache = LocalDataset(tmp_path / "data.csv"), FileCache(tmp_path / "cache")
    assert cache.path(dataset.sha256) is None
    for _ in range(2):  # Another client may send it, too.
        send(dataset, cache)
        path = cache.path(dataset.sha256)
        assert path is not None
        assert path.read_bytes() == data
    assert [*(tmp_path / "cache").iterdir()] == [path]


def test_a_dataset_that_grows_meanwhile_is_sent_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_transfer, "PIECE", 10)
    path, data = tmp_path / "data.csv", os.urandom(25)
    path.write_bytes(data)
    sent = []
    for offset, piece in LocalDataset(path).pieces():
        sent.append(piece)
        assert offset < len(data), "it never ends"
        path.write_bytes(path.read_bytes() + b"a,b\n")
    assert b"".join(sent) == data


def test_a_changed_dataset_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n")
    dataset = LocalDataset(path)
    path.write_bytes(b"a,c\n")
    with pytest.raises(RunForgeError) as caught:
        [*dataset.pieces()]
    assert caught.value.code == "DATASET_CHANGED"
    path.unlink()
    with pytest.raises(RunForgeError) as caught:
        [*dataset.pieces()]
    assert caught.value.code == "FILE_UNREADABLE"


def test_pieces_that_do_not_make_the_dataset_are_not_kept(tmp_path: Path) -> None:
    cache, digest = FileCache(tmp_path), hashlib.sha256(b"abcdef").hexdigest()
    with pytest.raises(ValueError, match="missing before byte 3"):
        cache.receive(digest, 3, b"def", last=True)
    cache.receive(digest, 0, b"abc", last=False)
    with pytest.raises(ValueError, match="digest"):
        cache.receive(digest, 3, b"xyz", last=True)
    assert cache.path(digest) is None
    # A sender that was interrupted begins again.
    cache.receive(digest, 0, b"abc", last=False)
    cache.receive(digest, 0, b"abc", last=False)
    cache.receive(digest, 3, b"def", last=True)
    assert cache.path(digest) is not None


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "a" * 63, "a" * 63 + "/"])
def test_a_file_is_named_by_a_digest_only(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="digest"):
        FileCache(tmp_path).receive(name, 0, b"", last=True)
    assert [*tmp_path.iterdir()] == []
