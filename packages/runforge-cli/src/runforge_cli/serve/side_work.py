"""The process that inspects datasets, proposes recipes and makes reports for the server.

``python -P -m runforge_cli.serve.side_work`` reads tasks from standard input, answers on the
original standard output, and ends when the input is closed.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.runtime.numeric_environment import pin_environment
from runforge_engine.workers.worker_messages import BrokenFrameError, read_frame, write_frame

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.output import reporting

if TYPE_CHECKING:
    from runforge_cli.report.report_blocks import Report


def main() -> None:
    """Answer tasks until the server closes the input."""
    inlet, outlet = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # Output of the libraries is no answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pin_environment()
    tasks: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inlet, tasks), daemon=True).start()
    while True:
        write_frame(outlet, _answer(tasks.get()))


def _listen(inlet: int, tasks: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Pass on tasks; end the process with the server, in the middle of a task, too."""
    try:
        while (task := read_frame(inlet)) is not None:
            tasks.put(task)
    except (OSError, BrokenFrameError):
        pass
    os._exit(0)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    warnings: list[str] = []
    try:
        with reporting(warnings.append):
            result = _DO[task["method"]](_settings_of(task), task["params"])
    except RunForgeError as error:
        return {"error": error.to_dict(), "warnings": warnings}
    except MemoryError:
        lack = RunForgeError(ErrorCode.MEMORY_INSUFFICIENT, "There is not enough memory for this.")
        return {"error": lack.to_dict(), "warnings": warnings}
    except Exception as failure:  # noqa: BLE001 - the server has no other way to learn of it
        from runforge_cli.shell.failures import as_error

        return {"error": as_error(failure).to_dict(), "warnings": warnings}
    return {"result": result, "warnings": warnings}


def _settings_of(task: dict[str, Any]) -> Settings:
    settings = Settings()
    settings.workspace, settings.store = task["workspace"], task["store"]
    settings.json = settings.quiet = True
    os.chdir(task["workspace"])
    return settings


def _inspect(settings: Settings, params: dict[str, Any]) -> dict[str, Any]:
    from runforge_engine.data.dataset_inspection import inspect_dataset

    report, _ = inspect_dataset(
        params["dataset"], params.get("label"), tuple(params.get("exclude", ()))
    )
    return report


def _recipe(settings: Settings, params: dict[str, Any]) -> dict[str, Any]:
    from runforge_cli.answers.recipe_answer import recipe_answer

    return recipe_answer(settings, params)


def _report(settings: Settings, params: dict[str, Any]) -> dict[str, Any]:
    from runforge_cli.report.html_page import html_page
    from runforge_cli.report.markdown_page import markdown_page

    if "group" in params:
        report, found = _report_on_sweep(settings, params)
    else:
        report, found = _report_on_runs(settings, params)
    page = {"html": html_page(report)}
    if params.get("markdown", False):
        page["markdown"] = markdown_page(report)
    return {**page, **found}


def _report_on_sweep(settings: Settings, params: dict[str, Any]) -> tuple[Report, dict[str, Any]]:
    from runforge_cli.report.sweep_sections import sweep_report
    from runforge_cli.shell.sweep_selection import find_sweep

    if "runs" in params:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either runs or a sweep, not both.")
    group, sweep = find_sweep(settings, params["group"])
    report = sweep_report(sweep, settings.target().relative(group.path))
    members = [row.run_id for row in sweep.ranked() if row.run_id]
    return report, {"runs": members, "without_curves": {}}


def _report_on_runs(settings: Settings, params: dict[str, Any]) -> tuple[Report, dict[str, Any]]:
    from runforge_cli.listing.run_list import trained_in
    from runforge_cli.report.report_input import Material, gather, related_to
    from runforge_cli.report.report_writer import make_report
    from runforge_cli.shell.run_selection import find_runs

    folders = find_runs(settings, params.get("runs", ["latest"]), least=1)
    with_model = params.get("model", True)
    listed = trained_in(settings.stores()) if with_model else []
    related = related_to(folders, settings.places())
    materials = gather(folders, settings.target(), listed, related, with_model=with_model)
    found = {
        "runs": [material.folder.id for material in materials],
        "without_curves": {
            material.folder.id: material.missing
            for material in materials
            if isinstance(material, Material) and material.missing
        },
    }
    return make_report(materials, settings.target()), found


_DO = {"inspect": _inspect, "recipe": _recipe, "report": _report}

if __name__ == "__main__":
    main()
