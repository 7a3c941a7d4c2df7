"""The messages of ``runforge serve``: where their schemas are, and the reference made from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference import NOTE, definition_lines
from sources import SCHEMAS, Schemas, resolve

#: The folder below ``schemas/``, with which the names of its schemas begin.
SERVE = "serve"
#: The methods in the order of the reference; those of a group follow each other.
GROUPS = {
    "The session": ("initialize", "shutdown", "exit", "$/cancelRequest"),
    "Training": ("train", "run", "rerun", "cancel", "warm", "progress", "warning"),
    "Sweeps": ("sweep", "planSweep", "groups", "group"),
    "Runs": (
        "list",
        "show",
        "metrics",
        "importance",
        "coefficients",
        "interpretability",
        "diagnostics",
        "diff",
        "report",
    ),
    "Datasets and models": ("inspect", "recipe", "predict", "evaluate", "inspectArtifact", "trace"),
    "Trust": ("verify", "reproduce", "rebuildIndex"),
    "Watching": ("watch", "unwatch", "runBegan", "runEnded", "runsChanged"),
}


def serve_sources() -> dict[str, Path]:
    """Return the file of every schema of the messages by its name, such as ``serve.train.v1``."""
    return {f"{SERVE}.{path.stem}": path for path in sorted((SCHEMAS / SERVE).glob("*.json"))}


def messages() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the name and the schema of each method and notification, by what it is called."""
    found = {}
    for name, path in serve_sources().items():
        schema = json.loads(path.read_text("utf-8"))
        if "type" in schema:
            found[schema["properties"]["method"]["const"]] = (name, schema)
    ordered = [method for group in GROUPS.values() for method in group]
    if set(ordered) != found.keys():
        raise SystemExit(f"not in one group: {sorted(set(ordered) ^ found.keys())}")
    return {method: found[method] for method in ordered}


def sender(schema: dict[str, Any]) -> str:
    """Return who sends a message: the client, unless it is a notification of the server."""
    return str(schema.get("x-runforge-sender", "client"))


def methods_source(header: str) -> str:
    """Return the source of the table of all methods and notifications."""
    lines = [
        header,
        '"""Every method and notification of ``runforge serve``."""\n',
        "from __future__ import annotations\n",
        "from typing import NamedTuple\n\n",
        "class Message(NamedTuple):",
        '    """What the schema of a message says about it."""\n',
        "    #: Name of the schema, module and struct of the parameters.",
        "    schema: str",
        "    module: str",
        "    params: str",
        "    #: Whether the message is a request, which is answered.",
        "    request: bool",
        "    #: Whether the server sends it.",
        "    of_server: bool\n\n",
        "MESSAGES: dict[str, Message] = {",
    ]
    for method, (name, schema) in messages().items():
        params = schema["properties"]["params"]["$ref"].rpartition("/")[2]
        arguments = (name, name.replace(".", "_"), params, "result" in schema["properties"])
        lines.append(
            f"    {json.dumps(method)}: Message("
            f"{', '.join(map(_literal, (*arguments, sender(schema) == 'server')))}),"
        )
    return "\n".join([*lines, "}\n"])


def _literal(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def serve_page(documents: Schemas) -> str:
    """Return the reference of all messages, from their schemas.

    Parameters
    ----------
    documents
        The schemas of the documents, which some results are.
    """
    own = {name: json.loads(path.read_text("utf-8")) for name, path in serve_sources().items()}
    schemas = {**documents, **own}
    text = "\n".join(_page(schemas)).rstrip() + "\n"
    text = re.sub(rf"\(({SERVE}\.[a-zA-Z]+\.v1)\.md#", "(#", text)
    text = re.sub(r"\[\]\(([a-z0-9._]+)\.md#\)", r"[`\1`](../contract/\1.md)", text)
    return re.sub(r"\]\(([a-z][a-z0-9._]*\.md)", r"](../contract/\1", text)


def _page(schemas: Schemas) -> Iterator[str]:
    yield NOTE
    yield "# The messages of `runforge serve`\n"
    yield (
        "Every method and notification with its parameters and its result, generated from the"
        " JSON Schemas in `schemas/serve/`. [The guide](../guides/serve.md) shows how to write a"
        " client.\n"
    )
    yield "| message | sent by | answered | what it does |"
    yield "|---|---|---|---|"
    for method, (_, schema) in messages().items():
        answered = "yes" if "result" in schema["properties"] else "no"
        summary = schema["description"].split(". ")[0].removesuffix(".")
        yield f"| [`{method}`](#{_anchor(method)}) | {sender(schema)} | {answered} | {summary} |"
    yield ""
    for group, methods in GROUPS.items():
        yield f"## {group}\n"
        for method in methods:
            name, schema = messages()[method]
            yield from _message(method, name, schema, schemas)
    for title, name in (("Shared definitions", "common"), ("The envelope", "message")):
        yield f"## {title}\n"
        yield schemas[f"{SERVE}.{name}.v1"]["description"] + "\n"
        for definition, schema in schemas[f"{SERVE}.{name}.v1"]["$defs"].items():
            yield f"### `{definition}`\n"
            yield from definition_lines(schema, f"{SERVE}.{name}.v1", schemas)


def _anchor(method: str) -> str:
    return method.lower().replace("$/", "")


def _message(method: str, name: str, schema: dict[str, Any], schemas: Schemas) -> Iterator[str]:
    yield f"### `{method}`\n"
    file = f"schemas/serve/{name.removeprefix(f'{SERVE}.')}.json"
    yield f"{schema['description']} Schema: [`{file}`](../../{file}).\n"
    reference = schema["properties"]["params"]["$ref"]
    params, place = resolve(schemas, reference, name)
    if params["properties"]:
        yield "Parameters:\n"
        fields = {key: value for key, value in params.items() if key != "description"}
        yield from definition_lines(fields, place, schemas)
    result = schema["properties"].get("result")
    if result is not None:
        yield from _result(result, name, schemas)
    shown = {reference.rpartition("/")[2], (result or {}).get("$ref", "").rpartition("/")[2]}
    for definition, part in schema["$defs"].items():
        if definition not in shown:
            yield f'<a id="{definition.lower()}"></a>**{definition}**:\n'
            yield from definition_lines(part, name, schemas)


def _result(result: dict[str, Any], name: str, schemas: Schemas) -> Iterator[str]:
    reference = result.get("$ref")
    if reference is None:
        yield "Result: null.\n"
    elif "#" not in reference:
        document = reference.removesuffix(".json")
        yield f"Result: the document [`{document}`](../contract/{document}.md).\n"
    elif not reference.startswith("#"):
        definition = reference.rpartition("/")[2]
        yield f"Result: [`{definition}`](#{definition.lower()}).\n"
    else:
        yield "Result:\n"
        yield from definition_lines(*resolve(schemas, reference, name), schemas)
