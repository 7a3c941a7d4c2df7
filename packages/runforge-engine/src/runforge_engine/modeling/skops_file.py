"""The skops file of a model: a ZIP file with its arrays and a JSON document, and no pickle.

Source: skops documentation, "Secure persistence with skops".
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from runforge_contracts.codec.strict_json import encode_json

from runforge_engine.modeling.predict import apply
from runforge_engine.modeling.revalidate import score_method

#: Types that a reader of a forest has to trust: they are not among those that skops itself does.
TRUSTED = ("sklearn.tree._tree.Tree",)
#: What a file has besides the members that skops reads: what RunForge states of the model.
STATED = "runforge.json"
_SCHEMA = "schema.json"


class SkopsModel:
    """The skops file of a model.

    The same model gives the same bytes: skops numbers objects by their addresses in memory, and
    here they are numbered in the order of the document.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted.
    """

    def __init__(self, pipeline: Any) -> None:
        from skops.io import dumps

        with zipfile.ZipFile(io.BytesIO(dumps(pipeline))) as archive:
            document = json.loads(archive.read(_SCHEMA))
            files = _number(document)
            arrays = {new: archive.read(old) for old, new in files.items()}
        # Not by the strict encoder: skops writes NaN as JSON does not have it.
        schema = json.dumps(document, separators=(",", ":")).encode()
        self._members = {_SCHEMA: schema, **arrays}

    def predict(self, X: Any) -> tuple[Any, Any]:
        """Return the labels and the scores of rows, as the file gives them that skops loads."""
        from skops.io import loads

        loaded = loads(_zip_file(self._members), trusted=list(TRUSTED))
        labels, scores = apply(loaded, X, "predict", score_method(loaded))
        return labels, scores

    def to_bytes(self, stated: Mapping[str, Any]) -> bytes:
        """Return the file, with what RunForge states of the model in a member of its own."""
        return _zip_file({**self._members, STATED: encode_json(stated)})


def _zip_file(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP file; its members are stored, not compressed, and have no time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def _number(document: Any) -> dict[str, str]:
    """Renumber the objects of a document in its order; return the new names of files by the old."""
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    left = [document]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += reversed(value)
        elif isinstance(value, dict):
            if "__id__" in value:
                value["__id__"] = numbers.setdefault(value["__id__"], len(numbers) + 1)
            if isinstance(file := value.get("file"), str):
                value["file"] = files.setdefault(file, f"{len(files) + 1}.npy")
            left += reversed(value.values())
    return files
