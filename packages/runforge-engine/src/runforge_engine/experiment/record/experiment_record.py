"""Write the files of an experiment's run, from before user code starts until it has ended.

The configuration with the final status is written last: it replaces the one with the status of a
run in progress, and the manifest already has its digest. A run whose configuration has a final
status is therefore complete.

Source: specification, sections 17.1, 17.3, 17.10 and 17.12.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file, write_file, writing
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.system.system_files import sync_file
from runforge_contracts.validation import validate

from runforge_engine.experiment.record.artifact_list import protect
from runforge_engine.store.run_folders import sync_run, write_new

#: Field of an experiment that requests a copy of the log.
LOG_TXT = "log_txt"
#: Folder for copies of the code.
_CODE = "code"
#: Prefix of the log lines that RunForge writes.
_OURS = "runforge: "
#: Suffix for a manifest that user code wrote.
_FOREIGN = ".user"
_ANY_ID = "run-2026-02-01-001"


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """The folder of a run, which this process has claimed."""

    folder: Path

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / layout.CONFIG

    @property
    def log(self) -> Path:
        """The log file with the output of user code."""
        return self.folder / layout.LOGS

    @property
    def artifacts(self) -> Path:
        """The folder for the artifacts of user code."""
        return self.folder / layout.ARTIFACTS

    @property
    def code(self) -> Path:
        """The folder for copies of the code."""
        return self.folder / _CODE

    def begin(
        self, config: dict[str, Any], system: dict[str, Any] | None, code: Mapping[str, bytes]
    ) -> None:
        """Write the files known before user code starts; remove them if that fails.

        Parameters
        ----------
        config, system
            The documents; None if the system is not known.
        code
            Copies of the code by the name of the file.

        Raises
        ------
        RunForgeError
            ``STORE_NOT_WRITABLE``.
        """
        try:
            write_new(self.config, _encode_config(config))
            if system is not None:
                validate(system, "tfc.system.v1")
                write_new(
                    self.folder / layout.SYSTEM,
                    encode_json(in_schema_order(system, "tfc.system.v1")),
                )
            with writing(self.folder):
                self.artifacts.mkdir()
                self.log.touch(exist_ok=False)
                if code:
                    self.code.mkdir()
            for name, data in code.items():
                write_new(self.code / name, data)
            sync_run(self.folder)
        except BaseException:
            with contextlib.suppress(OSError):
                copies = (self.code / name for name in code)
                for path in (self.log, self.folder / layout.SYSTEM, self.config, *copies):
                    path.unlink(missing_ok=True)
                for folder in (self.artifacts, self.code):
                    if folder.exists():
                        folder.rmdir()
                self.folder.rmdir()
            raise

    def say(self, lines: Iterable[str]) -> None:
        """Append lines of RunForge to the log, if it is still a regular file.

        Raises
        ------
        RunForgeError
            ``STORE_NOT_WRITABLE``.
        """
        if os.path.lexists(self.log) and not stat.S_ISREG(self.log.lstat().st_mode):
            return  # Writing there would change another file, or block until there is a reader.
        text = "".join(f"{_OURS}{printable(line)}\n" for line in lines)
        with writing(self.log), self.log.open("ab+") as log:
            if text and log.tell():
                log.seek(-1, os.SEEK_END)
                text = text if log.read(1) == b"\n" else f"\n{text}"
            log.write(text.encode("utf-8", "backslashreplace"))

    def finish(self, config: dict[str, Any]) -> None:
        """Write the final documents; nothing in the folder changes afterwards.

        A manifest that user code wrote is kept under another name.

        Raises
        ------
        RunForgeError
            ``STORE_NOT_WRITABLE``.
        """
        protect(self.artifacts)
        if config.get(LOG_TXT):
            self._copy_log()
        manifest_file = self.folder / layout.EXPERIMENT_MANIFEST
        if os.path.lexists(manifest_file):
            aside = manifest_file
            while os.path.lexists(aside):
                aside = aside.with_name(f"{aside.name}{_FOREIGN}")
            with writing(manifest_file):
                manifest_file.replace(aside)
        data = _encode_config(config)
        digests: dict[str, Any] = {}
        for name, path in self._files()[0].items():
            with contextlib.suppress(RunForgeError):  # a check reports files without one
                digests[name] = digest_file(path)._asdict()
        digests[layout.CONFIG] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        manifest = {
            "schema_version": "tfc.manifest.v1",
            "run_id": self.folder.name,
            "files": dict(sorted(digests.items())),
        }
        validate(manifest, "tfc.manifest.v1")
        for name in (layout.LOGS, layout.LOG_COPY, layout.JOURNAL, layout.EXPERIMENT_METRICS):
            if name in digests:
                _sync(self.folder / name)
        write_new(manifest_file, encode_json(manifest))
        sync_run(self.folder)
        write_file(self.config, data)

    def taken_log(self, config: dict[str, Any]) -> list[str]:
        """Return a sentence if user code has written the file that the log is to be copied to."""
        if not config.get(LOG_TXT) or not os.path.lexists(self.folder / layout.LOG_COPY):
            return []
        return [f"User code has written {quote(layout.LOG_COPY)}, so it is not a copy of the log."]

    def _copy_log(self) -> None:
        copy = self.folder / layout.LOG_COPY
        if os.path.lexists(copy) or not stat.S_ISREG(self.log.lstat().st_mode):
            return
        with writing(copy), self.log.open("rb") as log, copy.open("xb") as file:
            shutil.copyfileobj(log, file)

    def irregular(self) -> list[str]:
        """Return a sentence for each file of user code that a manifest cannot list."""
        return self._files()[1]

    def _files(self) -> tuple[dict[str, Path], list[str]]:
        """Return the files by their names in the manifest, and the irregular ones."""
        files: dict[str, Path] = {}
        irregular: list[str] = []
        with writing(self.folder):
            for parent, folders, names in os.walk(self.folder):
                links = [name for name in folders if Path(parent, name).is_symlink()]
                for name in (*names, *links):
                    path = Path(parent, name)
                    place = path.relative_to(self.folder).as_posix()
                    if path.is_symlink() or not path.is_file():
                        irregular.append(f"{quote(place)} is a link or no file; it has no digest.")
                    elif not _is_name(place):
                        irregular.append(f"The name of {quote(place)} cannot be in a manifest.")
                    else:
                        files[place] = path
        return files, irregular


def _sync(path: Path) -> None:
    with writing(path), path.open("r+b") as file:  # Windows writes out no other
        sync_file(file.fileno())


def _is_name(place: str) -> bool:
    digest = {"sha256": "0" * 64, "bytes": 0}
    try:
        validate(
            {"schema_version": "tfc.manifest.v1", "run_id": _ANY_ID, "files": {place: digest}},
            "tfc.manifest.v1",
        )
    except (RunForgeError, UnicodeEncodeError, ValueError):
        return False
    return True


def _encode_config(config: dict[str, Any]) -> bytes:
    validate(config, "tfc.config.v1")
    return encode_yaml(in_schema_order(config, "tfc.config.v1"))
