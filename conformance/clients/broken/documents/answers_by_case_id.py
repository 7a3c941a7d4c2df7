"""Answers from the published expectations by the id of the case, and opens no document."""

from pathlib import Path

from base import AnyClient, Message, serve
from runforge_conformance.vectors import all_cases, expected_document
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.codec.strict_yaml import encode_yaml

CASES = {case.id: case for case in all_cases()}


class Broken(AnyClient):
    """Has read the answers beforehand."""

    def answer(self, message: Message) -> Message:
        case = CASES[message["case"]]
        expect = case.expect
        if expect.outcome == "rejected":
            code, place = (expect.codes or ["DOCUMENT_INVALID"])[0], (expect.places or [""])[0]
            error = {"code": code, "path": place, "message": "As published."}
            return {"outcome": "rejected", "error": error}
        if "output" in message:
            path = Path(message["output"])
            encode = encode_yaml if path.suffix == ".yaml" else encode_json
            path.write_bytes(encode(expected_document(case)))
        warnings = ["This is newer."] if expect.warns else []
        return {"outcome": "accepted", "view": {"warnings": warnings, **(expect.view or {})}}


serve(Broken())
