"""The harness of the Python client: ``runforge_contracts`` as reader, editor and writer.

Speaks the protocol of the conformance suite: one JSON object a line on standard input and output.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec
import runforge_contracts as rf
from runforge_contracts.codec.pointers import set_at
from runforge_contracts.display import format_duration
from runforge_contracts.documents import struct_of
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store.run import synthesized_diagnostics

Message = dict[str, Any]


class Client:
    """Does what a message asks for; a document that breaks the contract raises."""

    started: Message = {
        "protocol": 1,
        "client": {"name": "runforge-contracts", "version": "0.4.0", "language": "Python"},
        "roles": ["reader", "editor", "writer"],
    }

    def load(self, message: Message) -> rf.Document[Any]:
        return rf.Document.load(message["input"], struct_of(message["document"]))

    def save(self, document: rf.Document[Any], message: Message) -> Message:
        document.save(message["output"])
        return {}

    def read(self, message: Message) -> Message:
        return view(self.load(message))

    def roundtrip(self, message: Message) -> Message:
        return self.save(self.load(message), message)

    def edit(self, message: Message) -> Message:
        document, params = self.load(message), message["params"]
        document.edit(
            {**params.get("set", {}), **dict.fromkeys(params.get("remove", ()), rf.REMOVE)}
        )
        return self.save(document, message)

    def write(self, message: Message) -> Message:
        fields = message["params"]["fields"]
        for pointer in message["params"].get("not_computable", ()):
            set_at(fields, pointer, float("nan"))
        try:
            made = rf.Document.of(msgspec.convert(fields, struct_of(message["document"])))
        except msgspec.ValidationError as error:
            return {"outcome": "rejected", "error": {"message": str(error)}}
        return self.save(made, message)

    def answer(self, message: Message) -> Message:
        try:
            done = getattr(self, message["op"])(message)
        except rf.RunForgeError as error:
            refusal = {"code": error.code, "path": error.location.pointer, "message": error.message}
            told = {key: value for key, value in refusal.items() if value is not None}
            return {"outcome": "rejected", "error": told}
        return done if "outcome" in done else {"outcome": "accepted", "view": done}


def view(document: rf.Document[Any]) -> Message:
    """Return what this client would show of a document."""
    raw, shown = document.content, {"warnings": list(document.warnings)}
    if document.name == "request.v1":
        shown |= {"name": raw.get("name") or "", "tags": raw.get("tags", [])}
        shown["hyperparameters"] = raw["model"].get("hyperparameters", {})
        shown["model_family"] = raw["model"]["family"]
    elif document.name == "result.v1":
        metric, error = primary_metric(raw.get("summary")), raw.get("error")
        shown["primary_metric"] = metric and {"name": metric[0], "value": metric[1]}
        shown["error"] = error and {"message": error["message"], "type": error["type"]}
        shown |= {"status": raw["status"], "duration": format_duration(raw["duration_ms"])}
    elif document.name.startswith("run."):
        shown |= {"run_id": raw["run_id"], "model_family": raw.get("model_family", "")}
        shown["accuracy"] = raw["metrics"]["accuracy"]
        shown["diagnostics"] = [item["code"] for item in synthesized_diagnostics(raw)]
    elif document.name.startswith("metrics."):
        shown["accuracy"] = raw["accuracy"]
    return shown


def serve(client: Client) -> None:
    """Answer each message on standard input, until `stop`."""
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["cmd"] == "stop":
            return
        answer = client.started if message["cmd"] == "start" else client.answer(message)
        if "seq" in message:
            answer = {"seq": message["seq"], **answer}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve(Client())
