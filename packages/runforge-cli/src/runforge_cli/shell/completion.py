"""What the shell completes: runs, sweeps, columns of the dataset, settings, metrics and files.

Each function is the ``shell_complete`` of a parameter. None of them reads more than an index and
the first line of a dataset, and none reports an error: what cannot be read offers nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from runforge_cli.shell.model_help import assignments
from runforge_cli.shell.settings import Function, Settings

# Modules are imported where they are used, so that `--help` stays fast.
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Completes a parameter of a command: what begins with the last argument.
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
#: Tags and names are looked for in so many runs and sweeps.
_READ = 200


def _items(incomplete: str, offered: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    """Return those of ``offered``, a value with its explanation each, that can complete a word.

    A value with a control character is left out: it cannot be typed.
    """
    from click.shell_completion import CompletionItem
    from runforge_contracts.display import printable

    return [
        CompletionItem(value, help=printable(text) or None)
        for value, text in dict(offered).items()
        if value.startswith(incomplete) and printable(value) == value
    ]


def complete_file(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_folder(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete a folder."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def complete_run(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return ``latest``, ``best``, aliases, names, tags and run ids, each explained, newest first.

    After ``best@``, or ``best:METRIC@``, the sweeps.

    A run is also the path of its folder, or of a model file where a command takes one.
    """
    if os.sep in incomplete or incomplete.startswith("."):
        return complete_file(context, parameter, incomplete)
    best, scoped, scope = incomplete.partition("@")
    if scoped and best.partition(":")[0] == "best":
        named = complete_group(context, parameter, scope)
        return _items(incomplete, [(f"{best}@{item.value}", item.help or "") for item in named])
    if incomplete.startswith("tag:"):
        tags = complete_tag(context, parameter, incomplete.removeprefix("tag:"))
        return _items(incomplete, [(f"tag:{item.value}", "") for item in tags])
    words = [("latest", "the newest run"), ("best", "the run with the best metric")]
    words += [(name, f"alias of {run_id}") for name, run_id in _aliases(context).items()]
    entries = _runs(context)
    if incomplete:  # Otherwise every run would be offered twice.
        words += _names(entries)
    runs = _items(incomplete, [*words, *((_id(entry), _about(entry)) for entry in entries)])
    takes_bundles = context.command.name in ("show", "verify")
    return [*runs, *(_packed_runs(incomplete) if takes_bundles else ())]


def complete_bundle(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the bundles of the current folder; elsewhere the shell completes a file."""
    return _packed_runs(incomplete, "*.rfz") or complete_file(context, parameter, incomplete)


def complete_archive(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the archives in one file of the current folder; else the shell completes a file."""
    return _packed_runs(incomplete, "*.tar.zst") or complete_file(context, parameter, incomplete)


def complete_archived(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the runs that were archived from the store."""
    from runforge_contracts.store.removals import removed_runs

    removed = removed_runs(_settings(context).target())
    ids = sorted((run for run, how in removed.items() if how == "archived"), reverse=True)
    return _items(incomplete, [(run, "archived") for run in ids])


def complete_archives(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the runs that were archived, and the archives in one file; else files."""
    found = complete_archived(context, parameter, incomplete)
    return found + _packed_runs(incomplete, "*.tar.zst") or complete_file(
        context, parameter, incomplete
    )


def complete_alias(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the aliases, with the run that each points at."""
    return _items(incomplete, _aliases(context).items())


def complete_recorded(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return what :func:`complete_run` does, and ids of evaluations that begin so."""
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.store.evaluations import list_evaluations

    found = complete_run(context, parameter, incomplete)
    if not incomplete:
        return found
    try:
        stores = _settings(context).stores()
        ids = [evaluation.id for store in stores for evaluation in list_evaluations(store)]
    except RunForgeError:
        ids = []
    return found + _items(incomplete, [(name, "an evaluation") for name in sorted(ids)[::-1]])


def complete_traced(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the runs that begin so, and let the shell complete a file where there is none."""
    found = complete_run(context, parameter, incomplete) if incomplete else []
    return found or complete_file(context, parameter, incomplete)


def run_argument(function: Function) -> Function:
    """Add the argument that names a run; the default is the newest run."""
    return click.argument("run", default="latest", shell_complete=complete_run)(function)


def complete_group(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return ``latest``, the ids of sweeps, newest first, and their names."""
    sweeps = _sweeps(context)
    offered = [("latest", "the newest sweep"), *sweeps]
    if incomplete:  # Otherwise every sweep would be offered twice.
        offered += [(name, f"name of {group_id}") for group_id, name in sweeps if name]
    return _items(incomplete, offered)


def complete_tag(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the tags of the newest runs."""
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.run_ids import started

    from runforge_cli.listing.run_list import listed_tags, runs_in

    tags: set[str] = set()
    try:
        listed = runs_in(_settings(context).places())
        for row in sorted(listed, key=lambda row: started(row.entry), reverse=True)[:_READ]:
            tags.update(listed_tags(row.entry, row.store))
    except RunForgeError:
        pass
    return _items(incomplete, [(tag, "") for tag in sorted(tags)])


def complete_column(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the columns of the CSV file on the command line that are not named yet.

    Where the command names a run instead, the columns of its dataset, or those that it excluded.
    """
    from pathlib import Path

    from runforge_engine.data.column_request import csv_columns

    given = _given(context)
    data = given.get("data") or given.get("dataset") or given.get("source")
    dataset = {} if data or not given.get("run") else _dataset(context, str(given["run"]))
    path = Path(data or _settings(context).folder / str(dataset.get("path")))
    excluded = _list(dataset.get("exclude_columns"))
    chosen = {given.get("label") or dataset.get("label_column"), *_list(given.get(parameter.name))}
    columns = excluded if parameter.name == "include" else csv_columns(path)
    if parameter.name == "exclude":
        chosen.update(excluded)
    return _items(incomplete, [(str(name), "") for name in columns if name not in chosen])


def complete_family(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the model families, with their hyperparameters."""
    from runforge_engine.modeling.families import FAMILIES

    offered = [(name, ", ".join(family.hyperparameters)) for name, family in FAMILIES.items()]
    return _items(incomplete, offered)


def complete_preset(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the presets, with what each sets for the model family."""
    presets = _family(context).presets.items()
    return _items(incomplete, [(name, assignments(values)) for name, values in presets])


def complete_profile(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the profiles, with what each sets."""
    from runforge_engine.modeling.configuration import PROFILES

    profiles = PROFILES.items()
    return _items(incomplete, [(name, assignments(one.parameters)) for name, one in profiles])


def complete_hyperparameter(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the hyperparameters of the model family, each with ``=``, or the choices of one."""
    parameters = _family(context).hyperparameters
    name, is_value, _ = incomplete.partition("=")
    if is_value and name in parameters:
        choices = ("true", "false") if parameters[name].kind == "bool" else parameters[name].choices
        return _items(incomplete, [(f"{name}={choice}", "") for choice in choices])
    return _items(incomplete, [(f"{name}=", one.expects) for name, one in parameters.items()])


def complete_metric_bound(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the metrics that the option may bound, each with ``=``.

    A gate has one direction, a filter of lists has any.
    """
    from runforge_contracts.metrics import lower_is_better

    directions = {"fail_under": (False,), "fail_over": (True,)}
    allowed = directions.get(str(parameter.name), (False, True))
    names = [name for name in _metrics(context) if lower_is_better(name) in allowed]
    return _items(incomplete, [(f"{name}=", "") for name in names])


def complete_run_field(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return what a list of runs can show, sort by and filter by; also after a comma or ``-``."""
    from runforge_contracts.selection.run_values import FIELDS
    from runforge_engine.modeling.families import FAMILIES

    settings = dict.fromkeys(name for one in FAMILIES.values() for name in one.hyperparameters)
    named, comma, _ = incomplete.rpartition(",")
    start = named + comma or ("-" if incomplete.startswith("-") else "")
    names = [*_metrics(context), *settings, *FIELDS]
    return _items(incomplete, [(f"{start}{name}", "") for name in names])


def complete_schema(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of the contract's schemas."""
    from runforge_contracts.schemas import schema_names

    return _items(incomplete, [(name, "") for name in schema_names()])


def _packed_runs(incomplete: str, *patterns: str) -> list[CompletionItem]:
    """Return the bundles, or the files of other patterns, in the current folder."""
    from pathlib import Path

    if os.sep in incomplete:
        return []
    kinds = {"*.rfz": "bundle", "*.tar.zst": "archive"}
    found = [
        (path.name, kind)
        for pattern, kind in kinds.items()
        if pattern in (patterns or kinds)
        for path in sorted(Path().glob(pattern))
    ]
    return _items(incomplete, found)


def _settings(context: click.Context) -> Settings:
    return context.find_object(Settings) or Settings()


def _given(context: click.Context) -> dict[str, Any]:
    """Return what the line has so far; Click leaves arguments before an open option unread."""
    names = [str(one.name) for one in context.command.params if isinstance(one, click.Argument)]
    unread = dict(zip(names, context.args, strict=False))
    return {**unread, **{name: value for name, value in context.params.items() if value}}


def _runs(context: click.Context) -> list[dict[str, Any]]:
    """Return the entries of all runs, newest first."""
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.run_ids import started
    from runforge_contracts.store.reading import list_runs

    settings = _settings(context)
    try:
        entries = [entry for store in settings.stores() for entry in list_runs(store)]
        ids = [str(run_id) for place in settings.experiments() for run_id in place.ids()]
    except RunForgeError:
        return []
    entries += [{"run_id": run_id, "name": "experiment"} for run_id in ids]
    return sorted(entries, key=started, reverse=True)


def _sweeps(context: click.Context) -> list[tuple[str, str]]:
    """Return the ids of the sweeps, newest first, with the names that the newest have."""
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.sweeps.groups import groups_by_id

    try:
        found = [group for store in _settings(context).stores() for group in groups_by_id(store)]
    except RunForgeError:
        return []
    sweeps = []
    for number, group in enumerate(sorted(found, key=lambda group: group.id, reverse=True)):
        try:
            name = group.name if number < _READ else None
        except RunForgeError:
            name = None
        sweeps.append((group.id, name or ""))
    return sweeps


def _names(entries: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the names of the runs that name one run, and ``name:`` with each, for the newest."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        if entry.get("name") not in (None, "", _id(entry)) and "created_at" in entry:
            found.setdefault(str(entry["name"]), []).append(_id(entry))
    return [
        *((name, f"name of {ids[0]}") for name, ids in found.items() if len(ids) == 1),
        *((f"name:{name}", f"name of {ids[0]}") for name, ids in found.items()),
    ]


def _aliases(context: click.Context) -> dict[str, str]:
    """Return the id of the run that each alias points at."""
    from runforge_contracts.store.aliases import aliases_by_run

    by_run = aliases_by_run(_settings(context).stores())
    return {name: run_id for run_id, names in by_run.items() for name in names}


def _id(entry: Mapping[str, Any]) -> str:
    return str(entry["run_id"])


def _about(entry: Mapping[str, Any]) -> str:
    """Return what is shown beside a run."""
    date = str(entry.get("created_at") or "")[:16].replace("T", " ")
    said = (entry.get("name"), date, entry.get("model_family"), entry.get("status"))
    return "  ".join(str(text) for text in said if text)


def _metrics(context: click.Context) -> list[str]:
    """Return the metrics of the store's runs, those that decide first."""
    from runforge_contracts.metrics import by_preference
    from runforge_contracts.selection.run_values import metric_names

    return by_preference(metric_names(_runs(context)) or {"accuracy", "f1_macro", "log_loss"})


def _family(context: click.Context) -> Any:
    """Return the model family on the command line, else the default."""
    from runforge_engine.modeling.configuration import DEFAULT_FAMILY
    from runforge_engine.modeling.families import FAMILIES

    return FAMILIES.get(str(_given(context).get("model")), FAMILIES[DEFAULT_FAMILY])


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _dataset(context: click.Context, reference: str) -> dict[str, Any]:
    """Return what the request of a run says of its dataset, or nothing if it cannot be read."""
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.store.run import Run

    try:
        run = _settings(context).find_any(reference, quiet=True)
        dataset = (run.request or {}).get("dataset") if isinstance(run, Run) else None
    except RunForgeError:
        return {}
    return dataset if isinstance(dataset, dict) else {}
