"""Judgement of what a client answered and what it left on disk.

A judgement is a list of findings, each with the broken requirement; an empty list means passed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import shorten
from runforge_contracts.documents import is_yaml
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.checked_folder import refusals
from runforge_contracts.invariants.document_form import key_order, portable_form, written_form
from runforge_contracts.invariants.finding import ABSENT, same
from runforge_contracts.invariants.finding import Finding as Fact
from runforge_contracts.invariants.run_invariants import check_folder, open_folder
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.reading import read_store_index
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate

from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Answer
from runforge_conformance._generated.report_v1 import Finding
from runforge_conformance.answer_comparison import (
    Difference,
    Snapshot,
    changes,
    content,
    differences,
    missing,
    snapshot,
)
from runforge_conformance.vectors import (
    expected_document,
    input_document,
    is_lines,
    parse_file,
    renamed,
    suffix_of,
    vectors_folder,
)

#: Requirements on how a document is written, not on what it says.
_FORM = ("json.form", "json.key-order", "yaml.portable")
#: Most findings that are kept for one case; a broken store could have thousands.
MAX_FINDINGS = 20
#: Longest message of a finding and longest JSON text of a value, in characters.
MAX_MESSAGE, MAX_VALUE = 1000, 10_000


class ScratchFolder:
    """Folder of a case: the files that the client is given, and their state before."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.folder = folder
        suffix = suffix_of(case.document or None)
        self.input = folder / f"input{suffix}"
        self.output = self.input if "in-place" in (case.flags or ()) else folder / f"output{suffix}"
        self.workspace = folder / "workspace"
        self.before = Snapshot()

    def remember(self) -> None:
        """Take a snapshot of the folder before the client is asked."""
        self.before = snapshot(self.folder)


def finding(
    requirement: str,
    message: str,
    *,
    file: str | None = None,
    pointer: str | None = None,
    expected: Any = ABSENT,
    found: Any = ABSENT,
) -> Finding:
    """Return a finding with the known parts."""
    parts = {"file": file, "pointer": pointer}
    known: dict[str, Any] = {name: value for name, value in parts.items() if value is not None}
    if expected is not ABSENT:
        known["expected"] = expected
    if found is not ABSENT:
        known["found"] = found
    return Finding(requirement=requirement, message=message, **known)


def bounded(item: Finding) -> Finding:
    """Return a finding whose message and values are short enough to be read.

    A client may answer with megabytes in every case. A value that is too long becomes the start of
    its JSON text.
    """
    short: dict[str, Any] = {"message": shorten(item.message, MAX_MESSAGE)}
    if item.pointer:
        short["pointer"] = shorten(item.pointer, MAX_MESSAGE)
    for side in ("expected", "found"):
        value = getattr(item, side)
        if isinstance(value, str | list | dict):
            text = json.dumps(value, ensure_ascii=False)
            if len(text) > MAX_VALUE:
                short[side] = shorten(text, MAX_VALUE)
    return msgspec.structs.replace(item, **short)


def _unlike(
    requirement: str, message: str, unlike: Iterable[Difference], file: str | None = None
) -> Iterator[Finding]:
    """Yield a finding for each difference; ``{}`` in the message becomes the location."""
    for difference in unlike:
        yield finding(
            requirement,
            message.replace("{}", difference.pointer or "its root"),
            file=file,
            pointer=difference.pointer,
            expected=difference.expected,
            found=difference.found,
        )


def judge(case: Case, answer: Answer, place: ScratchFolder) -> list[Finding]:
    """Return the findings for an answer that follows the protocol."""
    return list(_findings(case, answer, place))[:MAX_FINDINGS]


def _findings(case: Case, answer: Answer, place: ScratchFolder) -> Iterator[Finding]:
    expected = case.expect.outcome
    if expected not in ("either", answer.outcome):
        told = answer.error.message if answer.error else None
        yield finding(
            _requirement(case),
            f"It must be {expected}." + (f" The client says: {told}" if told else ""),
            expected=expected,
            found=answer.outcome,
        )
        return
    if answer.outcome == "rejected":
        yield from _refusal(case, answer)
    else:
        yield from _view(case, answer)
    after = snapshot(place.folder)
    if case.op in ("write", "roundtrip", "edit"):
        yield from _written(case, answer, place, after)
    if case.op in ("read", "list", "trace"):
        for file, how in changes(place.before, after):
            message = f"{file} {how}; nothing may be written here."
            yield finding("files.untouched", message, file=file)
    if case.op in ("read", "list", "trace", "write", "roundtrip", "edit"):
        output = place.output.relative_to(place.folder).as_posix()
        for folder in sorted((place.before.folders ^ after.folders) - {output}):
            how = "is new" if folder in after.folders else "is gone"
            message = f"The folder {folder} {how}; no folder may be made or taken away."
            yield finding("files.untouched", message, file=folder)
    if case.op == "execute":
        yield from _executed(case, answer, place)
    if case.op == "rebuild-index":
        yield from _rebuilt(case, place)
    yield from _permissions(place, after)


def _requirement(case: Case) -> str:
    """Return what a case breaks where its document is lost or changed.

    A case about the form of a document is about its values first.
    """
    if case.requirement not in _FORM:
        return case.requirement
    return "writer.fields" if case.op == "write" else "editor.values"


def _permissions(place: ScratchFolder, after: Snapshot) -> Iterator[Finding]:
    """Yield the files whose permissions a client has changed."""
    if os.name != "posix":
        return
    output = place.output.relative_to(place.folder).as_posix()
    for file, mode in place.before.permissions.items():
        found = after.permissions.get(file, mode)
        if found != mode:
            message = f"The permissions of {file} were {mode:04o}, and are {found:04o}."
            requirement = "files.mode" if file == output else "files.untouched"
            yield finding(requirement, message, file=file)


def _rejected(answer: Answer) -> bool:
    return answer.outcome == "rejected"


def _refusal(case: Case, answer: Answer) -> Iterator[Finding]:
    """Yield findings if a refusal lacks the expected code or location."""
    error = answer.error or msgspec.UNSET
    code = error.code if error else msgspec.UNSET
    path = error.path if error else msgspec.UNSET
    codes, places = case.expect.codes or (), case.expect.places or ()
    if codes and code not in codes:
        message = f"The error's code must be {' or '.join(codes)}."
        found = code if code else ABSENT
        yield finding("errors.code", message, expected=list(codes), found=found)
    if places and (path is msgspec.UNSET or path not in places):
        message = f"The error's path must be {' or '.join(map(repr, places))}."
        found = ABSENT if path is msgspec.UNSET else path
        yield finding("errors.place", message, expected=list(places), found=found)
    if error and not error.message:
        yield finding("errors.message", "The error has no message.")


def _view(case: Case, answer: Answer) -> Iterator[Finding]:
    view: dict[str, Any] = answer.view or {}
    message = "The view does not have what it must at {}."
    for difference in missing(case.expect.view or {}, view):
        yield from _unlike(_view_requirement(case, difference.pointer, view), message, [difference])
    warns = case.expect.warns
    if warns is not msgspec.UNSET and bool(view.get("warnings")) is not warns:
        message = "A warning must be shown." if warns else "No warning must be shown."
        found = view.get("warnings", ABSENT)
        yield finding(case.requirement, message, pointer="/warnings", found=found)


def _view_requirement(case: Case, pointer: str, view: dict[str, Any]) -> str:
    """Return what is broken where a view differs: what the member is about, as far as that differs.

    Which metric is the primary one is only recommended; a metric that is not recorded is not.
    """
    if case.document != "result.v1" or case.op != "read" or not case.input:
        return case.requirement
    if pointer.startswith("/primary_metric"):
        summary = input_document(case.input, case.document).get("summary") or {}
        metrics = (summary.get("metrics") or {}).items()
        recorded = [summary.get("primary_metric"), *({"name": n, "value": v} for n, v in metrics)]
        of_choice = any(same(view.get("primary_metric"), metric) for metric in recorded)
        return "result.policy" if of_choice else case.requirement
    if case.requirement == "reader.view-result":
        members = {"/duration": "result.duration-text", "/error": "reader.error-shown"}
        return members.get("/" + pointer.split("/")[1], case.requirement)
    return case.requirement


def _written(
    case: Case, answer: Answer, place: ScratchFolder, after: Snapshot
) -> Iterator[Finding]:
    """Yield findings about the file that an editor or a writer left."""
    assert case.document  # noqa: S101 - a test of the cases ensures it
    output = place.output.relative_to(place.folder).as_posix()
    for file, how in changes(place.before, after):
        if file != output:
            message = f"{file} {how}; only the output may be written."
            yield finding("files.untouched", message, file=file)
        elif _rejected(answer):
            message = f"The document {how}, though it was refused."
            yield finding(_requirement(case), message, file=file)
    if _rejected(answer):
        return
    if output not in after:
        yield finding(_requirement(case), "The document was not written.", file=output)
        return
    try:
        written = parse_file(after[output], output)
        # An editor may save a newer version; it is compared with what it was given.
        if case.op == "write":
            validate(written, case.document)
    except RunForgeError as error:
        for refusal in refusals(error, output, case.document):
            yield finding(refusal.rule, refusal.message, file=output, pointer=refusal.pointer)
        return
    expected = expected_document(case)
    compare = differences if case.op != "write" or case.expect.exact else missing
    message = "The document is not what it must be at {}."
    yield from _unlike(_requirement(case), message, compare(expected, written), output)
    if case.expect.format and not is_lines(case.document):
        form = portable_form if is_yaml(place.output) else written_form
        for fact in form(after[output], output):
            yield finding(fact.rule, fact.message, file=output)
    if case.expect.key_order:
        for fact in key_order(written, case.document, output):
            yield finding(fact.rule, fact.message, file=output)


def _executed(case: Case, answer: Answer, place: ScratchFolder) -> Iterator[Finding]:
    """Yield findings about the run that an executor wrote, and about the store around it."""
    after = snapshot(place.workspace)
    before = {
        name.removeprefix("workspace/"): data
        for name, data in place.before.items()
        if name.startswith("workspace/")
    }
    for file, how in changes(place.before, snapshot(place.folder)):
        if not file.startswith("workspace/"):
            yield finding("files.untouched", f"{file} {how}; it was given to be read.", file=file)
    stores = [store for store in stores_in(place.workspace) if store.root.is_dir()]
    run = None if _rejected(answer) else run_folder(answer, place.workspace)
    for file, how in changes(before, after):
        path = place.workspace / file
        if how != "is new" and not any(path == store.index for store in stores):
            message = f"{file} {how}; a run changes nothing that was there."
            yield finding("files.untouched", message, file=file)
        elif how == "is new" and _is_stray(path, case, run, stores):
            message = f"{file} is new; a run writes its folder and the index."
            yield finding("files.untouched", message, file=file)
    if _rejected(answer):
        for store in stores:
            for left in list_folder(store.runs):
                name = store.relative(Path(left.path))
                if not any(file.startswith(f"{name}/") for file in before):
                    message = "A request that is refused leaves no run behind."
                    yield finding("executor.refuses", message, file=name)
        return
    if run is None:
        message = "The answer must name the run folder, inside the workspace."
        yield finding("executor.run-dir", message, pointer="/view/run_dir")
        return
    for store in stores:
        yield from store_findings(store)
        yield from _appended(store, before)
    yield from _ended(case, run)
    yield from _recorded(case, run, place)
    codes = case.expect.codes or ()
    if codes:
        try:
            found = [item["code"] for item in Run(run).diagnostics]
            found.append(((Run(run).result or {}).get("error") or {}).get("code"))
        except RunForgeError:
            return  # reported by the findings of the store
        if not set(codes) & set(found):
            message = f"The run must say why: by {' or '.join(codes)}."
            yield finding(
                "diagnostics.failure",
                message,
                file=layout.DIAGNOSTICS,
                expected=list(codes),
                found=[code for code in found if code],
            )


def _is_stray(path: Path, case: Case, run: Path | None, stores: list[StoreLayout]) -> bool:
    """Return whether a new file belongs to no run, and to no store as a whole."""
    if run is not None and path.is_relative_to(run):
        return False
    for store in stores:
        if path.is_relative_to(store.runs):
            # What is left of a refused request, and other runs at the same time, are looked at too.
            return run is not None and "concurrent" not in (case.flags or ())
        if path == store.index or path.is_relative_to(store.signatures):
            return False
        is_spare = path.name.startswith(".") or path.suffix == ".lock"
        if path.parent == store.root and is_spare:
            return False  # what Git and clients that run at the same time need
    return True


def _ended(case: Case, run: Path) -> Iterator[Finding]:
    """Yield findings if a run has not ended, which excuses it in a store, or not as expected."""
    folder = open_folder(run)
    if not folder.has_ended:
        yield from _as_findings(check_folder(folder))
        return
    expected = (case.expect.view or {}).get("status")
    found = (folder.result or {}).get("status")
    if expected is not None and found not in (None, expected):
        message = f"The result's status must be {expected}."
        yield finding(
            case.requirement,
            message,
            file=layout.RESULT,
            pointer="/status",
            expected=expected,
            found=found,
        )


def _appended(store: StoreLayout, before: dict[str, bytes]) -> Iterator[Finding]:
    """Yield a finding if an existing entry of the index was changed or moved."""
    index = store.index.relative_to(store.workspace).as_posix()
    if index not in before or not _readable(before[index]):
        return
    old = parse_json(before[index])["runs"]
    try:
        new = _entries(store)
    except RunForgeError:
        return  # reported by the findings of the store
    message = "An entry is never changed, moved or taken away."
    unlike = differences(old, new[: len(old)], "/runs")
    yield from _unlike("index.append-only", message, unlike, index)


def _recorded(case: Case, folder: Path, place: ScratchFolder) -> Iterator[Finding]:
    """Yield findings if the documents of a run are not what the case requires."""
    for file, expected in (case.expect.documents or {}).items():
        try:
            found = parse_json(content(folder / file))
        except RunForgeError:
            yield finding(case.requirement, f"The run must have {file}.", file=file)
            continue
        message = f"{file} does not have what it must at {{}}."
        yield from _unlike(case.requirement, message, missing(expected, found), file)
    for file in case.expect.absent or ():
        if (folder / file).exists():
            yield finding(case.requirement, f"The run must not have {file}.", file=file)
    try:
        request = parse_json(content(folder / layout.REQUEST))
    except RunForgeError:
        return  # reported by the findings of the store
    message = "The run folder holds the request as it was given."
    unlike = differences(parse_json(place.before["input.json"]), request)
    yield from _unlike("executor.request-kept", message, unlike, layout.REQUEST)


def unequal(case: Case, first: dict[str, bytes], again: dict[str, bytes]) -> Iterator[Finding]:
    """Yield a finding for each file that differs between two runs of the same request."""
    for file, how in changes(first, again):
        message = f"{file} {how} when the request runs again."
        yield finding(case.requirement, message, file=file)


def run_folder(answer: Answer, workspace: Path) -> Path | None:
    """Return the run folder that an answer names, if it is among the runs of a store there."""
    named = (answer.view or {}).get("run_dir")
    if not isinstance(named, str) or not named:
        return None
    folder = Path(workspace, named)
    try:
        parents = [store.runs.resolve() for store in stores_in(workspace)]
        inside = folder.resolve().parent in parents
        return folder if inside and folder.is_dir() and not folder.is_symlink() else None
    except (OSError, ValueError):  # not a valid file name
        return None


def store_findings(store: StoreLayout) -> Iterator[Finding]:
    """Yield the violations in a store, as findings of a report."""
    try:
        facts = check_store(store)
    except RunForgeError as error:
        yield finding("run.no-links", error.message, file=store.name)
        return
    try:
        _entries(store)
    except RunForgeError as error:
        if error.code is not ErrorCode.INDEX_INVALID:  # which is among the facts
            facts += refusals(error, store.relative(store.index), "index.v1")
    yield from _as_findings(facts)


def _entries(store: StoreLayout) -> list[dict[str, Any]]:
    """Return the entries of an index, which must have the contract's form, as all vectors have.

    Raises the error of an index that cannot be read or has another form.
    """
    index = read_store_index(store)
    if index is None:
        return []
    if index.is_foreign:
        validate(index.document, "index.v1")
    return [*index.entries]


def _as_findings(facts: Iterable[Fact]) -> Iterator[Finding]:
    for fact in facts:
        parts = fact.to_dict()
        parts["requirement"] = parts.pop("rule")
        yield Finding(**parts)


def _rebuilt(case: Case, place: ScratchFolder) -> Iterator[Finding]:
    """Yield findings about an index that was rebuilt."""
    prefix, after = "workspace/", snapshot(place.workspace)
    beside = {
        folder.relative_to(place.workspace).as_posix()
        for store in stores_in(place.workspace)
        for folder in (store.root, store.index.parent)
    }
    for file in sorted(after):
        # What cannot be read is kept beside the index.
        if prefix + file not in place.before and file.rpartition("/")[0] not in beside:
            yield finding("files.untouched", f"{file} is new; only the index is made.", file=file)
    for store in stores_in(place.workspace):
        index = store.index.relative_to(place.workspace).as_posix()
        for file, data in place.before.items():
            name = file.removeprefix(prefix)
            if not file.startswith(prefix) or after.get(name) == data:
                continue
            # Only the index may change; an unreadable one must be kept in another file.
            if name != index:
                yield finding("files.untouched", f"{name} must stay as it is.", file=name)
            elif not _readable(data) and data not in after.values():
                message = "An index that cannot be read is kept aside."
                yield finding("index.kept-aside", message, file=name)
        if case.expect.index:
            text = (vectors_folder() / case.expect.index).read_bytes()
            wanted = parse_json(renamed(text, case.ids))["runs"]
            try:
                found = _entries(store)
            except RunForgeError as error:
                yield finding("index.schema", error.message, file=index)
                return
            message = "The rebuilt index is not the one that appending gave."
            yield from _unlike(case.requirement, message, missing(wanted, found, "/runs"), index)


def _readable(data: bytes) -> bool:
    try:
        validate(parse_json(data), "index.v1")
    except RunForgeError:
        return False
    return True
