"""The plan of a run: a request that passed every check that needs no training.

Source: specification, sections 6.2 to 6.4 and 12.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from msgspec import UNSET
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.types import (
    EffectiveConfig,
    EffectiveDataset,
    EffectiveDevice,
    EffectiveModel,
    RequestV1,
    UsedDevice,
)

from runforge_engine.data.column_request import check_requested_names
from runforge_engine.data.dataset_source import PYTHON, DatasetSource, dataset_path
from runforge_engine.modeling.configuration import Configuration, family_table
from runforge_engine.pipeline.request import PreparedRequest
from runforge_engine.pipeline.run_inputs import RunInputs, TableChoice
from runforge_engine.runtime.background import Check
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
    choice: TableChoice
    source: DatasetSource
    inputs: RunInputs
    #: The libraries of the training, which are being imported.
    libraries: Libraries
    start: Start
    #: Why the requested GPU is not used.
    gpu_reason: str | None
    #: Diagnostics about the request.
    notes: tuple[Diagnostic, ...] = ()

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
        configuration, recipe = self.configuration, self.choice.recipe
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
                recipe=UNSET if recipe is None else dataset.recipe,
                recipe_sha256=UNSET if recipe is None else recipe.sha256,
            ),
            seed=configuration.seed,
        )


def make_plan(
    request: PreparedRequest,
    store: StoreLayout,
    start: Start,
    inputs: RunInputs,
    check: Check,
    notes: Sequence[Diagnostic] = (),
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
    inputs
        Where the run takes its dataset from.
    check
        Called while waiting for other runs; an exception that it raises ends the waiting.
    notes
        Diagnostics about the request.

    Raises
    ------
    RunForgeError
        For a dataset path that leads out of the workspace, a dataset that is missing, too large for
        the memory or not the one that was checked, and one without the requested label or an
        excluded column.
    """
    configuration = request.configuration
    gpu_reason = None
    if request.document.content["device"]["type"] == "gpu":
        gpu_reason = "The model families of this version compute on the CPU only."
    choice = choose_table(request, store, inputs.files)
    libraries = Libraries(family_table(configuration.family).module)
    source = inputs.source(choice, configuration, check)
    try:
        if inputs.digests.get(choice.path, source.sha256) != source.sha256:
            raise RunForgeError(
                ErrorCode.DATASET_CHANGED,
                "The dataset has other bytes than those that were checked.",
                hint="Look at the dataset again, and train on it as it is now.",
                path=str(choice.path),
            )
        check_requested_names(source, choice.label_column, choice.exclude_columns)
    except RunForgeError:
        inputs.release(source)
        raise
    return Plan(
        request.document,
        store,
        configuration,
        choice,
        source,
        inputs,
        libraries,
        start,
        gpu_reason,
        tuple(notes),
    )


def choose_table(
    request: PreparedRequest, store: StoreLayout, files: Mapping[Path, Path] = MappingProxyType({})
) -> TableChoice:
    """Return which dataset a request names, and what of it is used; its recipe is read.

    Parameters
    ----------
    files
        Files that are read instead of those at other paths.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT``; with a recipe ``LABEL_NOT_FOUND`` and the errors of
        :func:`~runforge_engine.preparation.run_recipe.load_recipe`.
    """
    content = request.document.content
    dataset = content["dataset"]
    recipe = None
    if "recipe" in dataset:
        from runforge_engine.preparation.run_recipe import check_label, load_recipe

        path = dataset_path(dataset["recipe"], store.workspace)
        recipe = load_recipe(files.get(path, path))
        check_label(recipe, dataset["label_column"])
    return TableChoice(
        dataset_path(dataset["path"], store.workspace),
        dataset["label_column"],
        tuple(dataset.get("exclude_columns", ())),
        content["created_by"].startswith(PYTHON),
        recipe,
    )
