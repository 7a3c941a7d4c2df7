"""Resolve ``dataset`` and ``model`` of an experiment to files, with their digests.

Source: specification, section 17.5.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file, reading

from runforge_engine.experiment.config.config_paths import ConfigPath, place_in
from runforge_engine.experiment.config.dotted_names import did_you_mean, nearest

#: Fields that are references, and the fields with the paths by name.
FIELDS = {"dataset": "datasets", "model": "models"}
#: Prefix of the models that RunForge trains.
OWN_MODELS = "runforge/"
#: The field that lists the models to copy, and the folder that they are copied to.
COPY_MODELS = "copy_models"
MODELS = "models"


def resolve_reference(
    root: Path,
    config: Mapping[str, Any],
    field: str,
    *,
    must_exist: bool = False,
    before_reading: Callable[[str], object] = lambda _: None,
) -> dict[str, Any] | None:
    """Return path, digest and size of the file that a field refers to; None for a plain name.

    A listed name refers to the path in the list; otherwise the value is a path in the repository. A
    folder has no digest.

    Parameters
    ----------
    root
        The repository.
    config
        The configuration.
    field
        ``dataset`` or ``model``.
    must_exist
        Whether the field is known to refer to a file.
    before_reading
        Called with the path of a file, before its digest is taken.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` for a path outside the repository; ``DATASET_NOT_FOUND`` or
        ``FILE_NOT_FOUND`` where it does not exist; ``FILE_UNSAFE``, ``FILE_UNREADABLE``.
    """
    text, listed = config.get(field), config.get(FIELDS[field])
    if not isinstance(text, str) or (field == "model" and text.startswith(OWN_MODELS)):
        return None
    pointer = format_pointer((field,))
    if isinstance(listed, dict) and text in listed:
        text, pointer = str(listed[text]), format_pointer((FIELDS[field], text))
    elif Path(text).is_absolute() and not Path(text).is_relative_to(root):
        return None
    place = place_in(root, text, pointer)
    with reading(place.path):
        exists, is_folder = place.path.exists(), place.path.is_dir()
    if not exists:
        listed_path = pointer != format_pointer((field,))
        if not (must_exist or listed_path or _looks_like_a_path(root, place)):
            return None
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND if field == "dataset" else ErrorCode.FILE_NOT_FOUND,
            f"There is no {field} {quote(place.name, 200)} in the repository.",
            hint=_nearest_file(place) or "Check the path.",
            path=place.name,
            pointer=pointer,
        )
    if is_folder:
        return {"path": place.name}
    before_reading(place.name)
    return {"path": place.name, **digest_file(place.path)._asdict()}


def _nearest_file(place: ConfigPath) -> str | None:
    """Return a "did you mean" question for a file of the same folder."""
    try:
        names = os.listdir(place.path.parent)  # noqa: PTH208 - of the target of a link
    except OSError:
        return None
    near = nearest(place.path.name, sorted(names))
    folder = place.name.rpartition("/")[0]
    return did_you_mean(near, f"{folder}/{{}}" if folder else "{}") or None


def _looks_like_a_path(root: Path, place: ConfigPath) -> bool:
    """Return whether a name that does not exist starts with an existing folder."""
    first, slash, _ = place.name.partition("/")
    return bool(slash) and (root / first).is_dir()
