"""The plan of a run: a request that passed every check that needs no training.

Source: specification, sections 6.2 to 6.4 and 12.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from msgspec import UNSET
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.documents import Document
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.types import (
    EffectiveConfig,
    EffectiveDataset,
    EffectiveDevice,
    EffectiveModel,
    RequestV1,
    UsedDevice,
)

from runforge_engine.data.dataset_source import PYTHON, DatasetSource, dataset_path, read_source
from runforge_engine.modeling.configuration import Configuration, family_table
from runforge_engine.pipeline.memory_estimate import check_memory
from runforge_engine.pipeline.request import PreparedRequest
from runforge_engine.provenance.collect import RunOrigin
from runforge_engine.runtime.clock import Clock, read_clock
from runforge_engine.runtime.preload import Libraries


class Start(NamedTuple):
    """When a run started, and the clock that it uses."""

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
    """Everything that a run needs before it is trained: configuration and dataset bytes."""

    request: Document[RequestV1]
    store: StoreLayout
    configuration: Configuration
    source: DatasetSource
    #: The libraries of the training, which are being imported.
    libraries: Libraries
    start: Start
    #: Why the requested GPU is not used.
    gpu_reason: str | None
    #: Diagnostics about the request.
    notes: tuple[Diagnostic, ...] = ()
    #: The origin of a run whose workspace is not on this machine.
    origin: RunOrigin | None = None

    @property
    def device(self) -> UsedDevice:
        """The device that the run uses, and why it is not the requested one."""
        return UsedDevice(type="cpu", gpu_reason=self.gpu_reason or UNSET)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Diagnostics that are known before the training."""
        reason = self.gpu_reason
        unused = [diagnostic(DiagnosticCode.GPU_UNAVAILABLE, reason)] if reason else []
        return [*unused, *self.notes]

    def effective_config(self) -> EffectiveConfig:
        """Return the configuration actually used, as ``result.json`` has it."""
        dataset = self.request.view.dataset
        configuration = self.configuration
        return EffectiveConfig(
            preset=configuration.preset,
            profile=configuration.profile.name if configuration.profile else UNSET,
            model=EffectiveModel(
                family=configuration.family,
                hyperparameters={item.name: item.value for item in configuration.hyperparameters},
            ),
            device=EffectiveDevice(type=self.device.type, gpu_reason=self.device.gpu_reason),
            dataset=EffectiveDataset(
                path=dataset.path,
                label_column=dataset.label_column,
                exclude_columns=list(dataset.exclude_columns or ()),
                fingerprint_sha256=self.source.sha256,
            ),
            seed=configuration.seed,
        )


def make_plan(
    request: PreparedRequest,
    store: StoreLayout,
    start: Start,
    notes: Sequence[Diagnostic] = (),
    *,
    dataset_file: Path | None = None,
    origin: RunOrigin | None = None,
) -> Plan:
    """Check what can be checked before anything is written, and read the dataset's bytes.

    The libraries of the training begin to load meanwhile.

    Parameters
    ----------
    request
        The request, with its resolved configuration.
    store
        The store that the run belongs to; its workspace is the base of relative paths.
    start
        When the run started.
    notes
        Diagnostics about the request.
    dataset_file
        The file that is read as the dataset, where the recorded path is one on another machine.
    origin
        The origin of a run whose workspace is not on this machine.

    Raises
    ------
    RunForgeError
        For a dataset path that leads out of the workspace, and a dataset that is missing or too
        large for the memory.
    """
    content, configuration = request.document.content, request.configuration
    gpu_reason = None
    if content["device"]["type"] == "gpu":
        gpu_reason = "The model families of this version compute on the CPU only."
    dataset = content["dataset"]
    path = dataset_path(dataset["path"], store.workspace)
    libraries = Libraries(family_table(configuration.family).module)
    file = dataset_file or path
    check_memory(file, dataset["label_column"], dataset.get("exclude_columns", ()), configuration)
    source = read_source(file)
    source.path = path  # Messages name the dataset as the request does.
    source.in_python = content["created_by"].startswith(PYTHON)
    return Plan(
        request.document,
        store,
        configuration,
        source,
        libraries,
        start,
        gpu_reason,
        tuple(notes),
        origin,
    )
