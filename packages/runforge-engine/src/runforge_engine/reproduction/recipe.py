"""Derive from the record of a run how to train it again, or what is missing for that.

The run record lists what was used; the request adds the excluded columns. If the two disagree,
the record is used and the contradiction is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.run import RUN_VERSIONS, Run

from runforge_engine.data.split import VALIDATION_FRACTION
from runforge_engine.modeling.configuration import PRESET_ALIASES
from runforge_engine.modeling.families import FAMILIES
from runforge_engine.preparation.run_recipe import RunRecipe, recipe_of_run
from runforge_engine.reproduction.reproduction_findings import Contradiction, Reason

#: Fields of the newest run record that a reproduction needs, with a word for each.
_NEEDED = {
    "label_column": "the label column",
    "model_family": "the model family",
    "hyperparameters": "the hyperparameters",
    "seed": "the seed",
    "split": "the split",
    "artifact_digests": "the digests of the artifacts",
    "provenance": "the environment",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a training depends on, as recorded."""

    run_id: str
    #: When the training completed; the clock of the new training is fixed to this time.
    created_at: str
    dataset_path: str
    dataset_sha256: str
    label_column: str
    exclude_columns: tuple[str, ...]
    #: What made the table that was trained on, if that is not the dataset.
    preparation: RunRecipe | None
    family: str
    #: The request of the run; its hyperparameters are the effective ones.
    preset: str
    hyperparameters: dict[str, Any]
    seed: int
    #: Whether the numeric environment was pinned, and the variables in effect.
    pinned: bool
    variables: dict[str, str]

    def request(self, dataset: str, recipe: str) -> dict[str, Any]:
        """Return the raw request that trains on the file ``dataset`` as the run was trained.

        ``recipe`` is the file with the recipe, if the run had one.
        Every hyperparameter is given, so that no preset or profile has an effect.
        """
        return {
            "version": 1,
            "preset": "custom",
            "dataset": {
                "path": dataset,
                "label_column": self.label_column,
                "exclude_columns": list(self.exclude_columns),
                **({} if self.preparation is None else {"recipe": recipe}),
            },
            "model": {"family": self.family, "hyperparameters": self.hyperparameters},
            "device": {"type": "cpu"},
            "seed": self.seed,
            "created_at": self.created_at,
            "created_by": "runforge-reproduce@1",
            "rerun_from": self.run_id,
        }


def read_recipe(folder: Run) -> Recipe | list[Reason]:
    """Return how to train the run again, or every reason why its record is insufficient."""
    run, request, lacking = _documents(folder)
    if run is not None:
        lacking += _missing(run)
        if not lacking:
            lacking += _unlike(run)
    if lacking or run is None or request is None:
        return lacking
    try:
        preparation = recipe_of_run(folder)
    except RunForgeError as error:
        return [Reason(layout.RECIPE, f"The recipe of the run cannot be used: {error.message}")]
    numerics = run["provenance"]["numerics"]
    return Recipe(
        run_id=run["run_id"],
        created_at=run["created_at"],
        dataset_path=run["dataset"]["path"],
        dataset_sha256=run["dataset"]["fingerprint_sha256"],
        label_column=run["label_column"],
        exclude_columns=tuple(request["dataset"].get("exclude_columns", ())),
        preparation=preparation,
        family=run["model_family"],
        preset=run.get("preset", "custom"),
        hyperparameters=_values(run),
        seed=int(run["seed"]),
        pinned=numerics["pinned"],
        variables=numerics["environment"],
    )


def contradictions(request: dict[str, Any], run: dict[str, Any]) -> list[Contradiction]:
    """Return the values in the request that differ from those in the run record."""
    model, values = request["model"], _values(run)
    pairs: list[tuple[str, Any, Any]] = [
        ("/dataset/path", request["dataset"]["path"], run["dataset"]["path"]),
        ("/dataset/recipe", request["dataset"].get("recipe"), run["dataset"].get("recipe")),
        ("/dataset/label_column", request["dataset"]["label_column"], run["label_column"]),
        ("/model/family", model["family"], run["model_family"]),
        ("/preset", PRESET_ALIASES.get(request["preset"], request["preset"]), run["preset"]),
        ("/profile", request.get("profile"), run.get("profile_name")),
        ("/seed", request.get("seed", run["seed"]), run["seed"]),
        *(
            (format_pointer(("model", "hyperparameters", name)), value, values.get(name))
            for name, value in model.get("hyperparameters", {}).items()
        ),
    ]
    return [
        Contradiction(place, asked, done)
        for place, asked, done in pairs
        # JSON does not distinguish integers and floats, but true is not 1.
        if asked != done or isinstance(asked, bool) != isinstance(done, bool)
    ]


def _documents(
    folder: Run,
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[Reason]]:
    lacking, found = [], {}
    for file in (layout.RUN, layout.REQUEST):
        try:
            found[file] = folder.record if file == layout.RUN else folder.request
        except RunForgeError as error:
            found[file] = None
            lacking.append(
                Reason(
                    file + (f"#{error.location.pointer}" if error.location.pointer else ""),
                    f"{file} cannot be read: {error.message}",
                )
            )
            continue
        if found[file] is None:
            lacking.append(Reason(file, _absence(folder, file)))
    return found[layout.RUN], found[layout.REQUEST], lacking


def _absence(folder: Run, file: str) -> str:
    if file == layout.REQUEST:
        return "The run has no request; it would tell which columns were left out."
    try:
        status = folder.status
    except RunForgeError:
        status = "incomplete"
    if status == "succeeded":
        return (
            "The run has no record of its training, which would have the seed, the split, the"
            " digests and the environment: another client made it."
        )
    ended = "has not completed" if status == "incomplete" else f"ended as {status}"
    return f"The run has no record of a training: it {ended}."


def _missing(run: dict[str, Any]) -> Iterator[Reason]:
    version = run["schema_version"]
    older = f", as in every {version}" if version in RUN_VERSIONS[1:] else ""
    for name, words in _NEEDED.items():
        if name not in run:
            yield Reason(f"run.json#/{name}", f"The record lacks {words}{older}.")
    table = FAMILIES.get(run.get("model_family", ""))
    if "hyperparameters" not in run or table is None:
        return
    recorded = _values(run)
    for name in table.hyperparameters:
        if name not in recorded:
            place = f"run.json#/hyperparameters/{name}"
            yield Reason(place, f"The record lacks the value of {quote(name)}.")


def _unlike(run: dict[str, Any]) -> Iterator[Reason]:
    """Yield the recorded features that this version of RunForge does not support."""
    known = FAMILIES[run["model_family"]].hyperparameters
    for item in run["hyperparameters"]:
        if item["name"] not in known:
            yield Reason(
                "run.json#/hyperparameters",
                f"This version of RunForge has no hyperparameter {quote(item['name'])} for"
                f" {quote(run['model_family'])}.",
                recorded=item["value"],
            )
    fraction = run["split"]["validation_fraction"]
    if fraction != VALIDATION_FRACTION:
        yield Reason(
            "run.json#/split/validation_fraction",
            "This version of RunForge splits otherwise.",
            recorded=fraction,
            here=VALIDATION_FRACTION,
        )
    if run["device"]["type"] != "cpu":
        yield Reason(
            "run.json#/device/type",
            "This version of RunForge computes on the CPU only.",
            recorded=run["device"]["type"],
            here="cpu",
        )


def _values(run: dict[str, Any]) -> dict[str, Any]:
    return {item["name"]: item["value"] for item in run["hyperparameters"]}
