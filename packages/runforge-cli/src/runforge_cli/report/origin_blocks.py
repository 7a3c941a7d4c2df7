"""The diagnostics and provenance of a run, and the commands to reproduce it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from runforge_contracts.display import printable, shorten
from runforge_contracts.recorded_diagnostics import place_text
from runforge_contracts.store.summary import can_be_repeated

from runforge_cli.report.report_blocks import (
    Block,
    Commands,
    Facts,
    Name,
    Paragraph,
    TableBlock,
    Text,
    prose,
)
from runforge_cli.report.report_input import Material

#: Maximum number of diagnostics, and maximum length of one.
_MOST, _LONG = 100, 2_000


def diagnostic_blocks(material: Material) -> Iterator[Block]:
    """Yield the diagnostics, the most severe first."""
    order = ("error", "warning", "info")
    found = sorted(material.folder.diagnostics, key=lambda item: order.index(item["severity"]))
    if not found:
        yield Paragraph("The run has no diagnostics.")
    else:
        yield TableBlock(
            "Diagnostics of this run",
            ("Severity", "Message", "Code"),
            [[item["severity"], _message(item), [Name(item["code"])]] for item in found[:_MOST]],
        )


def _message(item: dict[str, Any]) -> Text:
    hint = item.get("details", {}).get("hint")
    place = place_text(item)
    message = prose(shorten(item["message"], _LONG))
    message += [f" ({shorten(place, _LONG)})"] if place else []
    return [*message, " ", *prose(shorten(str(hint), _LONG))] if hint else message


def provenance_blocks(material: Material) -> Iterator[Block]:
    """Yield code, interpreter, machine, packages and digests."""
    folder = material.folder
    run, request = folder.record or {}, folder.request or {}
    provenance = run.get("provenance") or (folder.result or {}).get("provenance") or {}
    facts: list[tuple[str, Text]] = []
    client = provenance.get("client") or request.get("created_by")
    if client:
        facts.append(("Client", [Name(client)]))
    elif folder.client_form is not None:
        facts.append(("Client", folder.client_form))
    if "runforge_version" in run:
        facts.append(("RunForge", run["runforge_version"]))
    git = provenance.get("git")
    if git:
        changes = ", with uncommitted changes" if git["dirty"] else ", no uncommitted changes"
        facts.append(("Commit", [Name(git["commit"]), changes]))
    python = provenance.get("python")
    if python:
        facts.append(("Python", f"{python['implementation']} {python['version']}"))
        machine = provenance["platform"]
        parts = [machine[key] for key in ("cpu", "machine", "os", "libc") if key in machine]
        facts.append(("Machine", ", ".join(parts)))
        numerics = provenance["numerics"]
        facts.append(
            (
                "Numerics",
                "pinned: threads and kernels were set before the libraries were loaded"
                if numerics["pinned"]
                else "not pinned: results on another machine may differ in the last bits",
            )
        )
    if facts:
        yield Facts(facts)
    if provenance.get("packages"):
        yield TableBlock(
            "Packages that can affect the model",
            ("Package", "Version"),
            [[[Name(name)], version] for name, version in provenance["packages"].items()],
        )
    digests = run.get("artifact_digests")
    if digests:
        yield TableBlock(
            "Artifacts",
            ("File", "Bytes", "SHA-256"),
            [
                [[Name(path)], f"{item['bytes']:,}", [Name(item["sha256"])]]
                for path, item in digests.items()
            ],
            frozenset({1}),
        )
    if run.get("model_content_sha256"):
        yield Facts([("Model content", [Name(run["model_content_sha256"])])])


def reproduction_blocks(material: Material) -> Iterator[Block]:
    """Yield the commands that check the run and train it again."""
    folder, run = material.folder, material.folder.record or {}
    if not can_be_repeated(folder.request):
        client = folder.client_form or "an older client"
        what = "no request" if folder.request is None else "no request that says what to train"
        yield Paragraph(
            f"The run has {what}, because it was written by {client}. To repeat it, train with the"
            " same data and options."
        )
        return
    recorded = folder.status == "succeeded" and "artifact_digests" in run
    git = (run.get("provenance") or {}).get("git")
    yield Paragraph(
        prose(
            "Run these commands in the workspace, with the packages listed above. `runforge verify`"
            " checks whether the run was changed; `runforge reproduce` trains it again and compares"
            " the result with the record."
            if recorded
            else "Run this in the workspace to train again with the same request. The record lacks"
            " what a comparison needs."
            if folder.status == "succeeded"
            else "Run this in the workspace to try again with the same request."
        )
    )
    if git and git["dirty"]:
        yield Paragraph(
            "The run was made with uncommitted changes. If they include the dataset, the commit"
            " alone does not restore it."
        )
    lines = []
    if git:
        lines.append(f"git checkout {_typed(git['commit'])}")
    run_id = _typed(folder.id)
    if recorded:
        lines += [f"runforge verify {run_id}", f"runforge reproduce {run_id}"]
    else:
        lines.append(f"runforge rerun {run_id}")
    yield Commands(lines)


def _typed(text: str) -> str:
    """Return a string of a document as a word that is safe to paste into a shell."""
    return shlex.quote(printable(text))
