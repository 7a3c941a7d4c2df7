"""Train from a form: a new request, or that of an earlier run with changes; also as a sweep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_cli import CLIENT
from runforge_cli.answers.repetition import repetition_of
from runforge_cli.render.recipe_table import becomes
from runforge_cli.shell.grid_options import parse_seeds
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE, Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import BASE_URL, in_schema_order
from runforge_contracts.store.run import Run
from runforge_contracts.types import RequestV1
from runforge_contracts.validation import violations
from runforge_engine.modeling.configuration import DEFAULT_FAMILY, value_text
from runforge_engine.modeling.families import FAMILIES
from runforge_engine.pipeline.request import prepare
from runforge_engine.runtime.clock import read_clock
from runforge_engine.sweeps.plan_builder import new_plan
from starlette.responses import RedirectResponse

from runforge_web.found_runs import find_shown_run
from runforge_web.page_rendering import render
from runforge_web.request_form import (
    ACTION,
    EXCLUDED,
    FAMILY,
    HYPERPARAMETERS,
    LABEL,
    PATH,
    READ,
    READ_RECIPE,
    RECIPE,
    FormProblem,
    actions_of,
    chosen_actions,
    differences,
    edited,
    problems_of,
    raw_fields,
    raw_form,
    request_fields,
    settings_of,
    shown_values,
    typed,
    unknown_settings,
)
from runforge_web.training_data import (
    datasets_and_recipes,
    edited_recipe,
    inspected,
    prepared,
    proposed,
    raw_columns_of,
)

if TYPE_CHECKING:
    from runforge_cli.shell.settings import Settings
    from starlette.datastructures import FormData, UploadFile
    from starlette.requests import Request
    from starlette.responses import Response

    from runforge_web.job_list import JobList

#: Columns that are offered to be excluded, and members of a plan that are shown.
_COLUMNS, _MEMBERS = 300, 100


class _Draft(NamedTuple):
    """The request that a form began with."""

    raw: dict[str, Any]
    #: The request of the run that is repeated; None if it is new.
    parent: Run | None
    private: bool


class _PreparedColumn(NamedTuple):
    """A column of a recipe."""

    name: str
    action: str
    #: What the form has instead, or the same; and what can be chosen.
    chosen: str
    actions: tuple[str, ...]
    becomes: str


def training_page(request: Request) -> Response:
    """Answer with the form of a training."""
    return _form_page(request, sweep=False)


def sweep_form_page(request: Request) -> Response:
    """Answer with the form of a sweep."""
    return _form_page(request, sweep=True)


def columns_page(request: Request, form: FormData) -> Response:
    """Answer with the form as it was sent, with the columns of its dataset."""
    return _TrainingForm(request, form, sweep=False, is_new=True).page(200)


def sweep_columns_page(request: Request, form: FormData) -> Response:
    """Answer with the same for a sweep; the form may be that of one training."""
    return _TrainingForm(request, form, sweep=True, is_new=True).page(200)


def recipe_page(request: Request, form: FormData) -> Response:
    """Write the recipe that is proposed for the dataset of a form, and answer with the form."""
    return _TrainingForm(request, form, sweep=False, is_new=True, proposes=True).page(200)


def sweep_recipe_page(request: Request, form: FormData) -> Response:
    """Do the same for a sweep."""
    return _TrainingForm(request, form, sweep=True, is_new=True, proposes=True).page(200)


def edited_recipe_page(request: Request, form: FormData) -> Response:
    """Write the recipe of a form with the chosen actions, and answer with the form."""
    return _TrainingForm(request, form, sweep=False, is_new=True, edits=True).page(200)


def sweep_edited_recipe_page(request: Request, form: FormData) -> Response:
    """Do the same for a sweep."""
    return _TrainingForm(request, form, sweep=True, is_new=True, edits=True).page(200)


def check_page(request: Request, form: FormData) -> Response:
    """Answer with the form as it was sent, the request that it makes, and its mistakes."""
    return _TrainingForm(request, form, sweep=False).page(200)


def sweep_check_page(request: Request, form: FormData) -> Response:
    """Answer with the same for a sweep, and the runs that it would make."""
    return _TrainingForm(request, form, sweep=True).page(200)


def train(request: Request, form: FormData) -> Response:
    """Begin the training that a form asks for, or answer with its mistakes."""
    return _TrainingForm(request, form, sweep=False).begin()


def train_sweep(request: Request, form: FormData) -> Response:
    """Begin the sweep that a form asks for, or answer with its mistakes."""
    return _TrainingForm(request, form, sweep=True).begin()


def _form_page(request: Request, *, sweep: bool) -> Response:
    from starlette.datastructures import FormData

    query = request.query_params
    fields: list[tuple[str, str | UploadFile]] = [
        (name, query[name]) for name in ("parent",) if query.get(name)
    ]
    if query.get("dataset"):
        fields.append((PATH, query["dataset"]))
    return _TrainingForm(request, FormData(fields), sweep=sweep, is_new=True).page(200)


def _draft(settings: Settings, parent: str, dataset: str) -> _Draft:
    if parent:
        found = find_shown_run(settings, parent)
        path = str(settings.folder / dataset) if dataset else None
        again = repetition_of(settings, found.id, {}, parameters={}, dataset=path)
        return _Draft(again.request.document.raw, again.parent, again.private)
    raw = {
        "$schema": f"{BASE_URL}request.v1.json",
        "version": 1,
        "preset": "balanced",
        "dataset": {"path": "", "label_column": ""},
        "model": {"family": DEFAULT_FAMILY, "hyperparameters": {}},
        "device": {"type": "cpu", "gpu_reason": None},
        "created_at": read_clock().now(),
        "created_by": CLIENT,
        "rerun_from": None,
        "name": None,
        "tags": [],
        "notes": None,
    }
    return _Draft(raw, None, private=False)


class _TrainingForm:
    """A form as it was sent: the request that it makes, and what is wrong with it."""

    def __init__(
        self,
        request: Request,
        form: FormData,
        *,
        sweep: bool,
        is_new: bool = False,
        proposes: bool = False,
        edits: bool = False,
    ) -> None:
        self._request, self._form, self._sweep, self._is_new = request, form, sweep, is_new
        self._jobs: JobList = request.app.state.jobs
        self._settings: Settings = request.app.state.settings
        self._draft = _draft(self._settings, str(form.get("parent", "")), "")
        self._raw = edited(self._draft.raw, form)
        self._columns, self._digest = list[dict[str, Any]](), ""
        self._recipe: dict[str, Any] | None = None
        self._raw_form = raw_form(form)
        self._problems = list[FormProblem]()
        self._planned: dict[str, Any] | None = None
        self._plan: dict[str, Any] | None = None
        if proposes:
            self._propose()
        self._check()
        if edits:
            self._edit()

    @property
    def _label(self) -> str:
        return str(self._raw["dataset"]["label_column"] or "")

    @property
    def _path(self) -> str:
        return str(self._raw["dataset"]["path"])

    @property
    def _excluded(self) -> list[str]:
        found = self._raw["dataset"].get("exclude_columns") or []
        return found if isinstance(found, list) else []

    def _propose(self) -> None:
        """Write a proposed recipe, and name it in the request."""
        if not self._label:
            missing = "A recipe is proposed for a label column, and none is chosen."
            problem = FormProblem(LABEL, ErrorCode.LABEL_NOT_FOUND, missing, "Choose it first.")
            self._problems.append(problem)
            return
        try:
            recipe = proposed(self._jobs, self._path, self._label, self._raw_form)
            self._raw["dataset"]["recipe"] = recipe
        except RunForgeError as error:
            place = PATH if error.location.pointer == PATH else RECIPE
            hint = error.hint
            if error.code is ErrorCode.USAGE_INVALID:
                hint = "Choose that recipe, or rename it; nothing is replaced."
            self._problems.append(FormProblem(place, error.code, error.message, hint))

    @property
    def _actions(self) -> dict[str, str]:
        """What was chosen for columns of the recipe, if the form showed the same one."""
        if self._recipe is None or self._form.get(READ_RECIPE) != self._raw["dataset"]["recipe"]:
            return {}
        return chosen_actions(self._form, self._recipe)

    def _edit(self) -> None:
        """Write the recipe with the chosen actions, and name the new one in the request."""
        if self._recipe is None:
            return  # It cannot be read, which the page says.
        actions = self._actions
        if not actions:
            same = "The recipe does this with every column already."
            self._problems.append(FormProblem(RECIPE, ErrorCode.USAGE_INVALID, same, None))
            return
        try:
            new = edited_recipe(self._jobs, self._path, self._raw["dataset"]["recipe"], actions)
        except RunForgeError as error:
            self._problems.append(FormProblem(RECIPE, error.code, error.message, error.hint))
            return
        self._raw["dataset"]["recipe"] = new
        self._check()

    def _check(self) -> None:
        if not self._path:
            if not self._is_new:
                self._problems.append(
                    FormProblem(PATH, ErrorCode.DATASET_NOT_FOUND, "No dataset is named.", None)
                )
            return
        self._check_dataset()
        if self._is_new:
            return
        for check in (self._check_request, self._check_plan):
            try:
                check()
            except RunForgeError as error:
                self._problems += problems_of(error)
        if self._sweep:
            self._problems = [self._with_values(problem) for problem in self._problems]

    def _check_dataset(self) -> None:
        """Read the columns, and find what is wrong with the label and the features."""
        recipe, report = self._raw["dataset"].get("recipe"), dict[str, Any](columns=[])
        try:
            if recipe:
                report = self._with_recipe(str(recipe))
            elif self._is_new and self._raw_form:
                names = raw_columns_of(self._settings.folder, self._path, self._raw_form)
                report = {"columns": [{"name": name, "kind": "raw"} for name in names]}
            else:
                report = inspected(self._jobs, self._path, self._label, self._excluded)
        except RunForgeError as error:
            place = RECIPE if error.location.pointer == RECIPE else PATH
            self._problems.append(FormProblem(place, error.code, error.message, error.hint))
        label = self._label
        self._columns, self._digest = report["columns"], report.get("fingerprint_sha256", "")
        read, _, path = str(self._form.get(READ, "")).partition(" ")
        if not self._is_new and self._digest and path == self._path and read != self._digest:
            changed = "The dataset has other bytes than when this page read it."
            hint = "Look at its columns again; the next try takes it as it is now."
            self._problems.append(FormProblem(PATH, ErrorCode.DATASET_CHANGED, changed, hint))
        if self._is_new:
            return
        kinds = {column["name"]: column["kind"] for column in self._columns}
        wrong = None
        if self._actions:
            unwritten = "Actions were chosen that the recipe does not have."
            hint = "Write the recipe with these actions first, or choose those that it has."
            self._problems.append(FormProblem(RECIPE, ErrorCode.USAGE_INVALID, unwritten, hint))
        if self._recipe is not None and self._recipe["label"] != label:
            wrong = f"The label of the recipe is {quote(self._recipe['label'])}."
            hint = "Choose that column, or another recipe."
            self._problems.append(FormProblem(LABEL, ErrorCode.LABEL_NOT_FOUND, wrong, hint))
            return
        if self._columns and label not in kinds:
            wrong = "The dataset has no such column." if label else "No label column is chosen."
            hint = "Choose the column with the classes; it is never guessed."
            self._problems.append(FormProblem(LABEL, ErrorCode.LABEL_NOT_FOUND, wrong, hint))
        elif label in self._excluded:
            wrong = f"The column {quote(label)} is the label, and excluded too."
            hint = "Choose another label, or do not exclude it."
            self._problems.append(FormProblem(LABEL, ErrorCode.COLUMN_NOT_FOUND, wrong, hint))
        elif _is_wrong(kinds.get(label), report):
            wrong = f"The column {quote(label)} cannot be the label: its kind is {kinds[label]}."
            hint = "The classes of a classifier are integers or text, at least two of them."
            self._problems.append(FormProblem(LABEL, ErrorCode.LABEL_TYPE_INVALID, wrong, hint))
        for item in report.get("diagnostics", ()):
            if item["severity"] == "error" and not (wrong and item["code"].startswith("LABEL")):
                place = LABEL if item["code"].startswith("LABEL") else EXCLUDED
                hint = "Exclude these columns, or let a recipe make numbers of them."
                if item["code"] != ErrorCode.FEATURE_NOT_NUMERIC:
                    hint = item["details"].get("hint")
                self._problems.append(FormProblem(place, item["code"], item["message"], hint))

    def _with_recipe(self, recipe: str) -> dict[str, Any]:
        """Read a recipe, whose label is taken if none is chosen, and return the raw columns."""
        found = prepared(self._jobs, self._path, recipe)
        self._recipe = found["recipe"]
        if not self._label:
            self._raw["dataset"]["label_column"] = self._recipe["label"]
        actions = {item["column"]: item["action"] for item in self._recipe["columns"]}
        actions[self._recipe["label"]] = "label"
        columns = [
            {"name": name, "kind": actions.get(name, "not in the recipe")}
            for name in found["columns"]
        ]
        return {"columns": columns, "fingerprint_sha256": found["fingerprint_sha256"]}

    def _with_values(self, problem: FormProblem) -> FormProblem:
        """Say where several values go, for a mistake in a field that takes one."""
        given = str(self._form.get(f"{self._raw['model']['family']}{problem.pointer}", ""))
        if not problem.pointer.startswith(HYPERPARAMETERS) or "," not in given:
            return problem
        return problem._replace(hint="This field takes one value; several go into the one below.")

    def _check_request(self) -> None:
        for item in violations(self._raw, "request.v1"):
            code = ErrorCode.DOCUMENT_INVALID
            pointer = item.location.pointer or ""
            self._problems.append(FormProblem(pointer, code, item.message, item.hint))
        if any(problem.code == ErrorCode.DOCUMENT_INVALID for problem in self._problems):
            return
        document: Document[RequestV1] = Document(self._raw, "request.v1")
        prepare(document)

    def _check_plan(self) -> None:
        if not self._sweep or self._problems:
            return
        family, grid = self._raw["model"]["family"], dict[str, list[Any]]()
        base = {**self._raw, "model": {**self._raw["model"]}}
        fixed = dict(base["model"].get("hyperparameters") or {})
        for setting in settings_of(family):
            text = str(self._form.get(setting.tried, "")).strip()
            if text:
                values = [part.strip() for part in text.split(",")]
                if "" in values:
                    raise RunForgeError(
                        ErrorCode.USAGE_INVALID,
                        "There is an empty value.",
                        hint="Separate values by one comma.",
                        pointer=setting.pointer,
                    )
                grid[setting.label] = [REMOVE if one == "null" else typed(one) for one in values]
                fixed.pop(setting.label, None)
        base["model"]["hyperparameters"] = fixed
        text = str(self._form.get("seeds", "")).replace(" ", "")
        try:
            seeds = parse_seeds(text or None)
            plan = new_plan(
                {name: value for name, value in base.items() if name != "seed" or not seeds},
                grid,
                created_by=CLIENT,
                seeds=seeds,
                name=base.get("name"),
            )
        except RunForgeError as error:
            raise RunForgeError(
                error.code, error.message, hint=error.hint, pointer="/seeds"
            ) from None
        self._plan = plan.raw
        self._planned = self._jobs.ask("planSweep", {"plan": self._plan})

    def begin(self) -> Response:
        """Begin what the form asks for."""
        if self._problems:
            return self.page(422)
        private = {"private": True} if self._draft.private else {}
        name = self._raw.get("name") or self._path
        if self._sweep:
            job = self._jobs.begin(f"Sweep: {name}", "sweep", {"plan": self._plan, **private})
        else:
            # What was checked is what is trained on, whatever lies there by then.
            params = {"request": self._raw, "dataset_sha256": self._digest, **private}
            job = self._jobs.begin(f"Training: {name}", "run", params)
        return RedirectResponse(f"/jobs/{job.id}", 303)

    def page(self, status: int) -> Response:
        """Answer with the form."""
        shown = shown_values(self._raw)
        sent = {str(name): str(value) for name, value in self._form.multi_items()}
        labels = [column["name"] for column in self._columns]
        label = self._raw["dataset"]["label_column"]
        pointers = {field.pointer for field in request_fields()}
        settings = [item for family in FAMILIES for item in settings_of(family)]
        pointers |= {item.pointer for item in settings} | {"/seeds"}
        unknown = unknown_settings(self._draft.raw)
        datasets, recipes = datasets_and_recipes(self._settings.folder)
        pointers |= {item.pointer for item in unknown}
        return render(
            self._request,
            "train.html",
            422 if self._problems and status != 200 else status,
            sweep=self._sweep,
            parent=self._draft.parent,
            fields=request_fields(),
            raw_fields=raw_fields(),
            raw_form=self._raw_form,
            values={**shown, **sent, LABEL: label, RECIPE: shown.get(RECIPE, "")},
            read=(READ, f"{self._digest} {self._path}" if self._digest else ""),
            names={
                "path": PATH,
                "label": LABEL,
                "excluded": EXCLUDED,
                "recipe": RECIPE,
                "action": ACTION,
                "read_recipe": READ_RECIPE,
                "family": FAMILY,
            },
            family=self._raw["model"]["family"],
            families={name: settings_of(name) for name in FAMILIES},
            unknown=unknown,
            labels=labels if label in labels or not label else [label, *labels],
            columns=self._columns[:_COLUMNS],
            excluded=self._excluded,
            datasets=[] if self._columns else datasets,
            recipes=recipes,
            prepared=self._prepared(),
            problems=self._problems,
            is_checked=not self._is_new,
            of_no_field=[item for item in self._problems if item.pointer not in pointers],
            text=_text(self._raw),
            changes=self._changes(),
            planned=self._planned,
            members=_members(self._planned),
            as_json=json.dumps,
        )

    def _prepared(self) -> list[_PreparedColumn]:
        """Return the columns of the recipe, what happens to them, and what they become."""
        if self._recipe is None:
            return []
        chosen = self._actions
        return [
            _PreparedColumn(
                item["column"],
                item["action"],
                chosen.get(item["column"], item["action"]),
                actions_of(item["action"]),
                becomes(item),
            )
            for item in self._recipe["columns"][:_COLUMNS]
        ]

    def _changes(self) -> list[tuple[str, str, str]]:
        if self._draft.parent is None:
            return []
        before = self._draft.parent.document("request.json")
        return list(differences(before.raw if before else {}, self._raw))


def _is_wrong(kind: str | None, report: dict[str, Any]) -> bool:
    """Return whether an inspection says something of the label, and not of features alone.

    ``kind`` is that of the label column.
    """
    if report.get("label", {}).get("valid", True):
        return False
    errors = [item["code"] for item in report["diagnostics"] if item["severity"] == "error"]
    return kind in ("number", "empty") or any(code.startswith("LABEL") for code in errors)


def _text(raw: dict[str, Any]) -> str:
    return encode_json(in_schema_order(raw, "request.v1")).decode()


def _members(planned: dict[str, Any] | None) -> list[str]:
    runs = (planned or {"runs": []})["runs"][:_MEMBERS]
    return [
        ", ".join(
            f"{place.rpartition('/')[2]} = {value_text(value)}"
            for place, value in run["request_overrides"].items()
        )
        for run in runs
    ]
