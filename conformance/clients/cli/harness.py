"""The harness of the ``runforge`` command, as executor and store.

Every operation is the real command in a process of its own. Speaks the protocol of the conformance
suite: one JSON object a line on standard input and output.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
COMMAND = [sys.executable, "-P", "-m", "runforge_cli", "--json"]

STARTED: Message = {
    "protocol": 1,
    "client": {"name": "runforge", "version": "0.4.0", "language": "Python"},
    "roles": ["executor", "store"],
    "capabilities": ["cancel", "source-date-epoch"],
}


def run(message: Message, *arguments: str) -> Any:
    """Run the command in the message's workspace and return what it printed."""
    command = [*COMMAND, "--workspace", message["workspace"], *arguments]
    return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)


def execute(message: Message) -> Any:
    """Run a request; where it is to be cancelled, interrupt it once it trains."""
    params, environment = message["params"], dict(os.environ)
    if "source_date_epoch" in params:
        environment["SOURCE_DATE_EPOCH"] = str(params["source_date_epoch"])
    options = ["--verbose", "--workspace", message["workspace"]]
    process = subprocess.Popen(
        [*COMMAND, *options, "run", message["input"]],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if params.get("cancel") and b'"train_started"' in line:
            process.send_signal(signal.SIGINT)
    return json.loads(process.communicate()[0])


def shown(runs: list[Message]) -> Message:
    """Return runs as a view; an entry without a status is of a run that did not end."""
    return {
        "runs": [
            {"run_id": item["run_id"], "status": item.get("status", "incomplete")} for item in runs
        ]
    }


def answer(message: Message) -> Message:
    """Do what a message asks for."""
    operation = message["op"]
    if operation == "execute":
        done = execute(message)
        view = {key: done[key] for key in ("run_dir", "status") if key in done}
    elif operation == "list":
        done = run(message, "runs", "--limit", "1000")
        view = shown(done.get("runs", []))
    elif operation == "trace":
        done = run(message, "trace", message["params"]["sha256"])
        view = shown(done.get("runs", []))
    else:
        done, view = run(message, "index", "rebuild"), {}
    if "error" in done:
        error = done["error"]
        refusal = {"code": error["code"], "message": error["message"]}
        if "pointer" in error:
            refusal["path"] = error["pointer"]
        return {"outcome": "rejected", "error": refusal}
    return {"outcome": "accepted", "view": view}


def serve(answering: Callable[[Message], Message] = answer) -> None:
    """Answer each message on standard input, until `stop`."""
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["cmd"] == "stop":
            return
        reply = STARTED
        if message["cmd"] == "run":
            reply = {"seq": message["seq"], **answering(message)}
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
