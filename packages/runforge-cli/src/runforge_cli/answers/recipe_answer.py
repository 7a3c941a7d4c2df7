"""The recipe of a raw table for clients: one that is proposed, or one that is read.

Source: specification, chapter 24.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file

from runforge_cli import CLIENT
from runforge_cli.shell.output_paths import check_output
from runforge_cli.shell.settings import Settings


def recipe_answer(settings: Settings, params: dict[str, Any]) -> dict[str, Any]:
    """Propose a recipe for a raw table, or read or change one, and return it with the raw columns.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` unless a label or a recipe is given, and if the output exists;
        ``DOCUMENT_INVALID`` for a form or a recipe that contradicts itself; the errors of
        :func:`~runforge_engine.preparation.recipe_proposal.propose_recipe` and
        :func:`~runforge_engine.preparation.recipe_proposal.with_actions`.
    """
    from runforge_engine.data.table_reader import read_names
    from runforge_engine.preparation.prepared_table import open_raw
    from runforge_engine.preparation.recipe_proposal import propose_recipe, with_actions
    from runforge_engine.preparation.recipe_rules import check_recipe, read_recipe

    if ("label" in params) == ("recipe" in params):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Give either `label`, to propose a recipe, or `recipe`, to read one.",
        )
    dataset, source = Path(params["dataset"]), params.get("source", {})
    output = Path(params["output"]) if "output" in params else None
    actions = params.get("actions")
    if "recipe" in params and (source or (output is not None and actions is None)):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "`source` is for a recipe that is proposed, and `output` for one that is made here.",
        )
    if "label" in params and actions is not None:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "`actions` change a recipe that is read.")
    if "sheet" in source and len(source) > 1:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            "A sheet has no delimiter, decimal mark or encoding.",
            pointer="/source/sheet",
        )
    if output is not None:
        check_output(output, [], settings.places(), inputs=(dataset,))
    if "recipe" in params:
        content = read_recipe(Path(params["recipe"]))
        source = content.get("source", {})
    raw = open_raw(dataset, source)
    columns = read_names(raw)
    if "label" in params:
        content, _ = propose_recipe(raw, params["label"], source, created_by=CLIENT)
    elif actions is not None:
        content = with_actions(raw, content, actions, created_by=CLIENT)
    if "label" in params or actions is not None:
        check_recipe(content)
    if output is not None:
        write_file(output, encode_json(content))
    return {"recipe": content, "columns": columns, "fingerprint_sha256": raw.sha256}
