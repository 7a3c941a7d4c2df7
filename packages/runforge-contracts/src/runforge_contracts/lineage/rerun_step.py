"""What changed from a run to one that repeats it, in one line.

Only the records are compared, as by :func:`~runforge_contracts.comparison.compare.compare_runs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.comparison.agreement import agreement
from runforge_contracts.comparison.compare import compare_runs
from runforge_contracts.display import printable, shorten
from runforge_contracts.selection.run_condition import value_text
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import AnyRun

#: Maximum number of parts of a kind, and maximum length of a value.
_MOST, _LONG = 4, 40
#: Fields of the configuration that act only through others, which are compared.
_INDIRECT = ("preset", "profile")
#: Characters of a commit.
_COMMIT = 12
#: Fields of the data that say what was changed; the others follow from them.
_CAUSES = ("label_column", "exclude_columns")
#: Fields of the environment that are not about the machine and its software.
_NOT_ENVIRONMENT = ("client", "runforge_version")


def step_between(parent: AnyRun, run: AnyRun) -> str:
    """Return what differs between a run and the one that it repeats, in one line.

    Parameters
    ----------
    parent, run
        The runs, of either kind.

    Raises
    ------
    RunForgeError
        If a document of a run exists and cannot be read.
    """
    # The comparison has the folders relative to a workspace, which are not used here.
    comparison = compare_runs([parent, run], StoreLayout(parent.path))
    parts = [
        *_data(comparison["data"]),
        *_settings(comparison),
        *_code(comparison["environment"]),
        *_environment(comparison["environment"]),
    ]
    return "; ".join(parts) or "nothing"


#: Fields of the state of a repository beside its commit.
_UNCOMMITTED = frozenset({"dirty", "diff_sha256", "diff_unread_files"})


def _data(fields: list[dict[str, Any]]) -> Iterator[str]:
    named = {field["name"]: field["values"] for field in fields}
    yield from _file(named, "path", "fingerprint_sha256", "data")
    yield from _file(named, "recipe", "recipe_sha256", "recipe", optional=True)
    for name in _CAUSES:
        values = named.get(name, [{}, {}])
        if agreement(values) == "different":
            yield f"{name} {_both(values)}"


def _file(
    named: dict[str, list[dict[str, Any]]],
    path: str,
    digest: str,
    what: str,
    *,
    optional: bool = False,
) -> Iterator[str]:
    """Yield how a file of one run differs from that of the other, by its path or its content.

    ``optional``: a run without a digest has no such file.
    """
    paths, found = named.get(path, [{}, {}]), agreement(named.get(digest, ()))
    if found == "different" and agreement(paths) != "different":
        yield f"other content of the {what} {_text(paths[1].get('value', ''))}".rstrip()
    elif found == "different" or (optional and found == "incomplete"):
        yield f"{what} {_both(paths)}"


def _list_change(before: list[Any], after: list[Any]) -> str:
    """Return which values were added to a list, and which were taken out."""
    added = [f"+{_text(value)}" for value in after if value not in before]
    removed = [f"-{_text(value)}" for value in before if value not in after]
    changed = [*added, *removed]
    more = [f"and {len(changed) - _MOST:,} more"] if len(changed) > _MOST else []
    return " ".join([*changed[:_MOST], *more]) or "in another order"


def _settings(comparison: dict[str, Any]) -> Iterator[str]:
    changed = {
        field["name"]: field["values"]
        for field in comparison["configuration"]
        if field["name"] not in _INDIRECT and agreement(field["values"]) == "different"
    }
    if "model_family" not in changed:  # Other families have other hyperparameters.
        changed |= {
            field["name"]: field["values"]
            for field in comparison["hyperparameters"]
            if agreement(field["values"]) == "different"
        }
    yield from (f"{_text(name)} {_both(values)}" for name, values in [*changed.items()][:_MOST])
    if len(changed) > _MOST:
        yield f"{len(changed) - _MOST:,} more settings"


def _code(fields: list[dict[str, Any]]) -> Iterator[str]:
    changed = {
        field["name"].partition(".")[2]: field["values"]
        for field in fields
        if field["name"].startswith(("git.", "code.")) and agreement(field["values"]) != "equal"
    }
    commit = changed.get("commit")
    if commit is not None:
        before, after = (_text(value.get("value", "none"))[:_COMMIT] for value in commit)
        yield f"commit {before} → {after}"
    elif changed.keys() - _UNCOMMITTED:
        yield "other code"
    elif changed:
        # Of any file of the repository, such as the dataset: the record does not say which.
        yield "other uncommitted changes"


def _environment(fields: list[dict[str, Any]]) -> Iterator[str]:
    changed = [
        field["name"]
        for field in fields
        if not field["name"].startswith(("git.", "code."))
        and field["name"] not in _NOT_ENVIRONMENT
        and agreement(field["values"]) == "different"
    ]
    if changed:
        names = ", ".join(map(_text, changed[:_MOST]))
        more = f" and {len(changed) - _MOST:,} more" if len(changed) > _MOST else ""
        yield f"environment ({names}{more})"


def _both(values: list[dict[str, Any]]) -> str:
    before, after = (value.get("value") for value in values)
    if isinstance(before, list) and isinstance(after, list):
        return _list_change(before, after)
    return " → ".join(_text(value.get("value")) for value in values)


def _text(value: Any) -> str:
    return shorten(printable(value_text(value)), _LONG)
