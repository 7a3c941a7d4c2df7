"""The record of an experiment run, as the same named values that a trained run has.

Source: specification, sections 17.3, 17.7 and 17.8.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from runforge_contracts.comparison.facets import SAME_AS, Recorded, Weights, given, recorded
from runforge_contracts.store.configured_values import configured
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.layout import ARTIFACTS

#: Models that RunForge itself trains, by their families.
OWN_MODELS = "runforge/"
#: The trained run of an experiment whose model RunForge trains: a name, not a parameter.
TRAINED_RUN = "trained_run"
#: Options of RunForge's training, by their names in a trained run; the data has some of them.
_OPTIONS = {f"training.{name}": name for name in ("preset", "profile", "device")}
_OF_DATA = ("training.label", "training.exclude")
_ENDED = ("succeeded", "failed", "cancelled")


class ExperimentFacets:
    """A run as named values; every property reads the documents that it needs."""

    def __init__(self, folder: ExperimentRun) -> None:
        self.folder = folder
        self._config: dict[str, Any] = folder.config or {}

    def header(self) -> dict[str, Any]:
        """Return the values that identify the run."""
        config, status = self._config, self.folder.status
        failure = config.get("failure") or {}
        error = given(message=failure.get("message"), code=failure.get("code"))
        return {
            "run_id": self.folder.id,
            "run_dir": str(self.folder.path),
            "status": status if status in _ENDED else "incomplete",
            "kind": "experiment",
            **given(
                created_at=config.get("finished_at") or config.get("started_at"),
                name=config.get("experiment"),
                rerun_from=config.get("rerun_from"),
                error=error if "message" in error else None,
            ),
        }

    @cached_property
    def configuration(self) -> dict[str, Recorded]:
        """Model, seed and all configured values, by dotted names."""
        found = {name: {"value": value} for name, value in configured(self._config)}
        if not self._own:
            return {**recorded(model=self._config.get("model")), **found}
        family = self._config["model"].removeprefix(OWN_MODELS)
        return {
            "model_family": {"value": family},
            **{
                _OPTIONS.get(name, name): entry
                for name, entry in found.items()
                if name not in _OF_DATA
            },
        }

    @property
    def _own(self) -> bool:
        """Whether RunForge trains the model; then names are those of a trained run."""
        return str(self._config.get("model", "")).startswith(OWN_MODELS)

    @cached_property
    def hyperparameters(self) -> dict[str, Recorded]:
        """Parameters that user code logged."""
        parameters = self._config.get("parameters") or {}
        return {name: {"value": value} for name, value in parameters.items() if name != TRAINED_RUN}

    @cached_property
    def data(self) -> dict[str, Recorded]:
        """The dataset, and the file that is used as the model, if there is one."""
        references = self._config.get("references") or {}
        dataset, model = references.get("dataset") or {}, references.get("model") or {}
        training = self._config.get("training") or {} if self._own else {}
        return recorded(
            dataset=self._config.get("dataset"),
            path=dataset.get("path"),
            fingerprint_sha256=dataset.get("sha256"),
            label_column=training.get("label"),
            exclude_columns=training.get("exclude", [] if self._own else None),
            **{"model.path": model.get("path"), "model.sha256": model.get("sha256")},
        )

    @cached_property
    def environment(self) -> dict[str, Recorded]:
        """Python, frameworks, machine and code, by the names that a trained run uses."""
        system, code = self.folder.system or {}, self._config.get("code") or {}
        hardware = system.get("hardware") or {}
        program = (self._config.get("references") or {}).get("program") or {}
        return recorded(
            client=self._config.get("created_by"),
            **{
                "python.version": system.get("python"),
                **{f"packages.{name}": text for name, text in system.get("frameworks", {}).items()},
                "platform.os_release": system.get("os"),
                **{f"platform.{name}": value for name, value in hardware.items()},
                "code.program": program.get("path"),
                "code.program_sha256": program.get("sha256"),
                "git.commit": code.get("commit"),
                # A trained run also counts files that runs have written as code changes.
                **{f"code.{name}": value for name, value in code.items() if name != "commit"},
            },
        )

    @cached_property
    def metrics(self) -> dict[tuple[str, int | str | None], float]:
        """Final metrics by name."""
        summary = self.folder.metrics
        same = SAME_AS if self._own else {}
        return {(same.get(name, name), None): value for name, value in summary.items()}

    @property
    def weights(self) -> Weights | None:
        """None: the features of a model made by user code are unknown."""
        return None

    @cached_property
    def artifacts(self) -> dict[str, Recorded]:
        """Digest of every artifact, by path."""
        files = (self.folder.manifest or {}).get("files") or {}
        return {
            path: {"value": files[path]["sha256"]}
            for path in sorted(files)
            if path.startswith(f"{ARTIFACTS}/")
        }

    @property
    def model_content(self) -> dict[str, Recorded]:
        """Nothing: the features of a model made by user code are unknown."""
        return {}
