"""The plan of a run: a request that passed every check that needs no training.

Source: run store contract, section 3; RunForge contract, "Training".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from runforge_contracts._generated.request_v1 import RequestV1
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.documents import Document
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.data.dataset_source import PYTHON, Source, dataset_path, read_source
from runforge_engine.modeling.configuration import Configuration, resolve
from runforge_engine.pipeline.memory_estimate import check_memory
from runforge_engine.runtime.clock import Clock, read_clock
from runforge_engine.runtime.preload import Libraries

#: Seed of the split and the estimator when the request names none.
DEFAULT_SEED = 42


class Start(NamedTuple):
    """When a run began, by the clock that it keeps to."""

    clock: Clock
    at: str
    milliseconds: int

    @classmethod
    def now(cls) -> Self:
        """Start at this moment."""
        clock = read_clock().steady()
        return cls(clock, clock.now(), clock.monotonic_ms())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do, and with which bytes."""

    request: Document[RequestV1]
    store: StoreLayout
    configuration: Configuration
    source: Source
    #: What the run computes with, on its way.
    libraries: Libraries
    start: Start
    #: Why the GPU that was asked for is not used.
    gpu_reason: str | None
    #: What there is to say about the request.
    notes: tuple[Diagnostic, ...] = ()

    @property
    def device(self) -> dict[str, str]:
        """The device that the run uses, and why it is not the one asked for."""
        return {"type": "cpu", **({"gpu_reason": self.gpu_reason} if self.gpu_reason else {})}

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What there is to say before anything was trained."""
        reason = self.gpu_reason
        unused = [diagnostic(DiagnosticCode.GPU_UNAVAILABLE, reason)] if reason else []
        return [*unused, *self.notes]

    def effective_config(self) -> dict[str, Any]:
        """Return the configuration actually used, as ``result.json`` has it."""
        dataset = self.request.raw["dataset"]
        configuration = self.configuration
        return {
            "preset": configuration.preset,
            **({"profile": configuration.profile.name} if configuration.profile else {}),
            "model": {
                "family": configuration.family,
                "hyperparameters": {
                    item.name: item.value for item in configuration.hyperparameters
                },
            },
            "device": self.device,
            "dataset": {
                "path": dataset["path"],
                "label_column": dataset["label_column"],
                "exclude_columns": list(dataset.get("exclude_columns", ())),
                "fingerprint_sha256": self.source.sha256,
            },
            "seed": configuration.seed,
        }


def make_plan(
    request: Document[RequestV1],
    store: StoreLayout,
    start: Start,
    cli_names: Collection[str] = (),
    notes: Sequence[Diagnostic] = (),
) -> Plan:
    """Check what can be checked before anything is written, and read the dataset's bytes.

    The libraries of the training begin to load meanwhile.

    Parameters
    ----------
    request
        A valid request.
    store
        The store that the run belongs to; its workspace is where relative paths start.
    start
        When the run began.
    cli_names
        Names of the hyperparameters that a person typed.
    notes
        What there is to say about the request.

    Raises
    ------
    RunForgeError
        For a wrong configuration, a dataset path that climbs out, a dataset that is not there or
        does not fit into memory.
    """
    raw = request.raw
    configuration = resolve(
        family=raw["model"]["family"],
        preset=raw["preset"],
        profile=raw.get("profile"),
        hyperparameters=raw["model"].get("hyperparameters", {}),
        cli_names=cli_names,
        seed=int(raw.get("seed", DEFAULT_SEED)),
    )
    gpu_reason = None
    if raw["device"]["type"] == "gpu":
        gpu_reason = "The model families of this version compute on the CPU only."
    dataset = raw["dataset"]
    path = dataset_path(dataset["path"], store.workspace)
    libraries = Libraries(configuration.family)
    check_memory(path, dataset["label_column"], dataset.get("exclude_columns", ()), configuration)
    source = read_source(path)
    source.in_python = raw["created_by"].startswith(PYTHON)
    return Plan(request, store, configuration, source, libraries, start, gpu_reason, tuple(notes))
