"""A stand-in for the editor extension 1.2.1 as a whole: what it does around the engine.

It prepares the run folder, starts the engine, writes the log while that works and the result when
it ended, cancels, rebuilds its index and exports a page. What it reads is in :mod:`editor_rules`.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import editor_rules as rules
import field_engine

#: The program that the setting names, started as our wrapper starts it.
OURS = (sys.executable, "-u", "-m", "ml_runner")
#: The engine that the extension ships with.
THEIRS = (sys.executable, "-u", str(Path(field_engine.__file__)))
GRACEFUL = "Cancelled (graceful) — partial cleanup completed"
FORCED = "Cancelled (forced) — SIGKILL fired before cleanup completed"


def slug(name: str) -> str:
    """Return the part of a folder's name that comes from the run's name."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "run"


class Training:
    """A training that the extension started: it writes beside the engine until :meth:`wait`."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, run_id: str) -> None:
        self.process, self.folder, self.run_id = process, folder, run_id
        self.progress = rules.Progress()
        self.out: list[str] = []
        self.began = time.monotonic()
        self.asked = False
        self._log = (folder / "logs.txt").open("a", encoding="utf-8")
        self._lock = threading.Lock()
        assert process.stdout is not None
        assert process.stderr is not None
        self._threads = [
            threading.Thread(target=self._follow, args=(process.stdout, self._say)),
            threading.Thread(target=self._follow, args=(process.stderr, self.progress.hear)),
        ]
        for thread in self._threads:
            thread.start()

    def _follow(self, stream: IO[bytes], take: Callable[[str], str | None]) -> None:
        with stream:
            for raw in stream:
                line = take(raw.decode("utf-8", "replace").rstrip("\r\n"))
                if line is not None:
                    with self._lock:
                        self._log.write(line + "\n")
                        self._log.flush()

    def _say(self, line: str) -> str:
        self.out.append(line)
        return line

    def heard(self, event: str, seconds: float = 120) -> bool:
        """Wait until the engine told an event, and return whether it did."""
        until = time.monotonic() + seconds
        while event not in self.progress.names():
            if self.process.poll() is not None or time.monotonic() > until:
                return event in self.progress.names()
            time.sleep(0.005)
        return True

    def cancel(self) -> None:
        """Ask the engine to end, as the extension's command does."""
        self.asked = True
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> dict[str, Any]:
        """Wait for the engine, write result.json over what may be there, and return it."""
        code = self.process.wait()
        for thread in self._threads:
            thread.join()
        self._log.close()
        result: dict[str, Any] = {
            "run_id": self.run_id,
            "status": "succeeded" if code == 0 else "failed",
            "exit_code": code,
            "duration_ms": int((time.monotonic() - self.began) * 1000),
        }
        if self.asked and code != 0:
            result["error"] = GRACEFUL if self.gracefully() else FORCED
        elif code != 0:
            # Without a text the user learns nothing but the exit code.
            result["error"] = "\n".join(self.progress.errors) or f"Process exited with code {code}"
        write(self.folder / "result.json", result)
        return result

    def gracefully(self) -> bool:
        """Return whether the engine ended a cancelled run as it should, by its marker."""
        marker = self.folder / ".cancelled"
        return marker.is_file() and bool(rules.cancelled(rules.read(marker)))


class FieldEditor:
    """The extension in a workspace, with the engine that its settings name."""

    def __init__(
        self,
        workspace: Path,
        engine: Sequence[str] = OURS,
        environment: Mapping[str, str] = {},
        device: str = "cpu",
    ) -> None:
        self.workspace, self.engine, self.device = workspace, tuple(engine), device
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("RUNFORGE") and name != "SOURCE_DATE_EPOCH"
            },
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONSAFEPATH": "1",
            **environment,
        }

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.engine, *arguments],
            cwd=self.workspace,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def prepare(self, name: str, preset: str, seed: int | None) -> tuple[str, Path]:
        """Make the run folder with the extension's request, and return its id."""
        at = datetime.now().astimezone()
        while True:
            run_id = f"{at:%Y%m%d-%H%M%S}-{slug(name)}-{random.randrange(16**4):04x}"
            folder = self.workspace / rules.RUNS / run_id
            try:
                (folder / "artifacts").mkdir(parents=True)
                break
            except FileExistsError:
                continue
        request: dict[str, Any] = {"run_id": run_id, "name": name, "preset_id": preset}
        if seed is not None:
            request["seed"] = seed
        request |= {
            "created_at": f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:],
            "requested_device": "cuda" if self.device == "cuda" else "cpu",
            "actual_device": self.device,
            "gpu_reason": "sufficient_vram" if self.device == "cuda" else "no_cuda",
        }
        write(folder / "request.json", request)
        return run_id, folder

    def start(
        self,
        dataset: Path,
        *,
        name: str = "",
        preset: str = "std-train",
        model: str = "logistic_regression",
        seed: int | None = None,
        profile: str | None = None,
        parameters: Sequence[str] = (),
    ) -> Training:
        """Start a training and return it; :meth:`Training.wait` ends it."""
        run_id, folder = self.prepare(name, preset, seed)
        more = [part for one in parameters for part in ("--param", one)]
        if seed is not None:
            more += ["--seed", str(seed)]
        if profile:
            more += ["--profile", profile]
        if name:
            more += ["--name", name]
        process = self._start(
            *("train", "--preset", preset, "--out", str(folder), "--device", self.device),
            *("--model", model, *more),
            RUNFORGE_DATASET=str(dataset),
        )
        return Training(process, folder, run_id)

    def train(self, dataset: Path, **options: Any) -> Training:
        """Train to the end."""
        training = self.start(dataset, **options)
        training.wait()
        return training

    def _inspect(self, *arguments: str) -> tuple[int, str, str]:
        process = self._start(*arguments)
        out, err = process.communicate()
        return process.returncode, out.decode(), err.decode()

    def inspect_dataset(self, dataset: Path, label: str | None = None) -> tuple[int, str, str]:
        """Let the engine inspect a dataset; return its exit code and what it printed."""
        more = ("--label", label) if label else ()
        return self._inspect("inspect", "--dataset", str(dataset), *more)

    def inspect_artifact(self, model: Path) -> tuple[int, str, str]:
        """Let the engine inspect a model file; return its exit code and what it printed."""
        base = ("--base-path", str(self.workspace))
        return self._inspect("inspect-artifact", "--artifact", str(model), *base)

    def export(self) -> Path:
        """Write run-summary.md into the folder that was changed last."""
        page = rules.run_markdown(self.workspace)
        folder = rules.newest(self.workspace)
        assert folder is not None
        assert page.notice is None
        (folder / "run-summary.md").write_text(page.text, "utf-8")
        return folder / "run-summary.md"

    def recover_index(self) -> rules.Recovery:
        """Write the index anew with the entries that it lacks."""
        report = rules.recover_index(self.workspace)
        entries = [*rules.index(self.workspace), *report.recovered]
        path = self.workspace / rules.INDEX
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("index.json.tmp")
        write(temporary, {"schema_version": "1.0.0", "runs": entries})
        temporary.replace(path)
        return report


def write(path: Path, document: Any) -> None:
    """Write a document as the extension does."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False), "utf-8", newline="\n")
