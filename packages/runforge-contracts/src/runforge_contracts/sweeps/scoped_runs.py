"""Find a run by a reference that may ask for the best one of a sweep or of a dataset.

Source: specification, section 16.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store.layout import Place, StoreLayout
from runforge_contracts.store.lookup import AnyRun, Takes, find_any_run
from runforge_contracts.store.missing_folder import is_missing_folder
from runforge_contracts.store.reference_text import without_line_end
from runforge_contracts.store.run_queries import RunReference, find_queried, parse_query


def find_scoped_run(reference: str, places: Sequence[Place], takes: Takes | None = None) -> AnyRun:
    """Return the run that ``reference`` names.

    Parameters
    ----------
    reference
        ``best@SCOPE``, ``best:METRIC@SCOPE``, or a reference of
        :func:`~runforge_contracts.store.lookup.find_any_run`. SCOPE is the path of a dataset, or
        a sweep as :func:`~runforge_contracts.sweeps.groups.find_group` takes it.
    places
        The stores and repositories to search; at least one.
    takes
        Which runs ``latest`` and ``best`` may refer to.

    Raises
    ------
    RunForgeError
        Those of :func:`~runforge_contracts.store.lookup.find_any_run`; ``GROUP_NOT_FOUND`` where
        the scope is neither a file nor a sweep, ``GROUP_AMBIGUOUS``, ``FILE_UNREADABLE``.
    """
    best, separator, scope = without_line_end(reference).partition("@")
    query = parse_query(best)
    if not separator or query is None or query.form != "best":
        return find_any_run(reference, places, takes)
    return find_queried(RunReference("best", query.text), places, takes, _within(scope, places))


def full_id(reference: str, places: Sequence[Place]) -> str:
    """Return the id of the run that a reference names; the reference itself if it names none.

    Raises
    ------
    RunForgeError
        ``RUN_AMBIGUOUS``.
    """
    try:
        return find_scoped_run(reference, places).id
    except RunForgeError as error:
        if error.code is ErrorCode.RUN_AMBIGUOUS:
            raise
        if is_missing_folder(error) and error.location.path is not None:
            return Path(error.location.path).name
        return reference


def _within(scope: str, places: Sequence[Place]) -> Callable[[dict[str, Any]], int | None]:
    """Return a function that numbers the index entries of a dataset or a sweep, None for others.

    Members of a sweep have their own numbers.
    """
    for base in dict.fromkeys([Path.cwd(), *(place.workspace for place in places)]):
        if scope and (base / scope).is_file():
            sha256 = digest_file((base / scope).resolve()).sha256
            return lambda entry: 0 if entry.get("dataset_fingerprint_sha256") == sha256 else None
    from runforge_contracts.sweeps.groups import find_group  # late: few references name a sweep

    stores = [place for place in places if isinstance(place, StoreLayout)]
    try:
        group = find_group(scope, stores)
    except RunForgeError as error:
        if error.code is not ErrorCode.GROUP_NOT_FOUND:
            raise
        raise RunForgeError(
            ErrorCode.GROUP_NOT_FOUND,
            f"{quote(scope, 200)} is neither a file nor a sweep in"
            f" {quote(places[0].workspace, 200)}.",
            hint="`best@FILE` is the best run on a dataset, `best@SWEEP` that of a sweep;"
            " `runforge sweep list` shows the sweeps.",
        ) from None
    members = {row.run_id: row.member for row in group.members()}
    return lambda entry: members.get(entry["run_id"])
