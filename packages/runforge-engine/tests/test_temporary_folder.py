"""What is unpacked from archives and bundles does not stay behind."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from runforge_engine.archiving.open_archive import opened_archive
from runforge_engine.bundles.bundle_reader import opened_bundle
from runforge_engine.runtime.temporary_folder import temporary_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder in which temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("reader", ["folder", "archive", "bundle"])
def test_an_interrupt_just_when_it_was_made_leaves_nothing(
    reader: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = os.mkdir, list[Path]()

    def mkdir(path: Path, *arguments: Any, **options: Any) -> None:
        make(path, *arguments, **options)
        made.append(Path(path))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "mkdir", mkdir)
    contexts = {
        "folder": lambda: temporary_folder(),
        "archive": lambda: opened_archive(Path("old.tar.zst")),
        "bundle": lambda: opened_bundle(Path("run.rfz"), Path.cwd()),
    }
    with pytest.raises(KeyboardInterrupt), contexts[reader]():
        pass
    assert len(made) == 1
    assert made[0].parent == temporary
    assert not any(temporary.iterdir())


def test_it_is_for_its_user_alone_and_removed_with_all_in_it(temporary: Path) -> None:
    with temporary_folder() as folder:
        (folder / "a/b").mkdir(parents=True)
        (folder / "a/file").write_bytes(b"x")
        mode = folder.stat().st_mode
    assert stat.S_IMODE(mode) == 0o700 or os.name == "nt"
    assert not any(temporary.iterdir())
